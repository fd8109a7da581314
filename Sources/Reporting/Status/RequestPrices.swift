import MountControl

/// The list prices of requests: S3 Standard in us-east-1, in 2026 ("Requests & data retrievals" on
/// aws.amazon.com/s3/pricing). Other regions and storage classes have other prices, the bucket's owner may be the one
/// who pays, and data that leaves the region costs more than its requests.
enum RequestPrices {
    /// $0.0004 for 1,000 GETs.
    static let dollarsPerGet = 0.000_000_4
    /// $0.005 for 1,000 LISTs.
    static let dollarsPerList = 0.000_005

    /// Returns the price of all requests sent, in dollars.
    static func dollars(_ requests: MountStatus.Requests) -> Double {
        Double(requests.get.sent) * dollarsPerGet + Double(requests.list.sent) * dollarsPerList
    }
}
