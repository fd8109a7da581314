import SystemSupport

/// Names of regions.
enum Region {
    /// Where nobody names one; AWS's first, and what other S3 servers take.
    static let standard = "us-east-1"

    /// Returns `true` if `name` could be that of a region of another store's: it goes into signatures only, where "/" and "," separate.
    static func isSignable(_ name: String) -> Bool {
        (1...255).contains(name.utf8.count)
            && name.utf8.allSatisfy { $0.isVisibleASCII && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ",") }
    }

    /// Returns `true` if `name` could be that of an AWS region, which is part of host names: small letters, digits and "-".
    static func isValid(_ name: String) -> Bool {
        (1...64).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
            }
    }
}

/// A part of AWS with accounts and host names of its own ("Partitions" in the AWS General Reference).
enum Partition: String, CaseIterable, Sendable {
    case aws
    case china = "aws-cn"
    case govCloud = "aws-us-gov"
    case europeanSovereign = "aws-eusc"
    case iso = "aws-iso"
    case isoB = "aws-iso-b"
    case isoE = "aws-iso-e"
    case isoF = "aws-iso-f"

    /// The partition of a region, by the region's name. One that nobody knows yet is AWS's.
    init(region: String) {
        let prefixes: [(String, Partition)] = [
            ("cn-", .china), ("us-gov-", .govCloud), ("eusc-", .europeanSovereign), ("us-iso-", .iso),
            ("us-isob-", .isoB), ("eu-isoe-", .isoE), ("us-isof-", .isoF),
        ]
        self = prefixes.first { region.hasPrefix($0.0) }?.1 ?? .aws
    }

    /// What host names end in.
    var domain: String {
        switch self {
        case .aws, .govCloud: "amazonaws.com"
        case .china: "amazonaws.com.cn"
        case .europeanSovereign: "amazonaws.eu"
        case .iso: "c2s.ic.gov"
        case .isoB: "sc2s.sgov.gov"
        case .isoE: "cloud.adc-e.uk"
        case .isoF: "csp.hci.ic.gov"
        }
    }

    /// What the host names of services other than S3 end in where they answer over IPv6 too.
    var dualStackDomain: String {
        switch self {
        case .aws, .govCloud: "api.aws"
        case .china: "api.amazonwebservices.com.cn"
        case .europeanSovereign: "api.amazonwebservices.eu"
        case .iso: "api.aws.ic.gov"
        case .isoB: "api.aws.scloud"
        case .isoE: "api.cloud-aws.adc-e.uk"
        case .isoF: "api.aws.hci.ic.gov"
        }
    }
}
