import SystemSupport

/// An S3 access point, given by its ARN in the place of a bucket's name: `arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME`
/// ("Referencing access points" in the Amazon S3 User Guide).
struct AccessPoint: Hashable, Sendable {
    let region: String
    /// The account of the owner, twelve digits.
    let account: String
    let name: String

    /// The beginning of an ARN.
    static let prefix = "arn:"

    /// Parses an ARN.
    ///
    /// - Throws: An error if the ARN is invalid, or not that of a kind that supports S3's own requests.
    init(parsing arn: some StringProtocol) throws(SettingsError) {
        let shown = Excerpt.of(arn.utf8)
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn" else { throw Self.unusable(shown) }
        guard parts[2] == "s3" else {
            throw SettingsError(
                "\(shown) is of \(parts[2].isEmpty ? "no service" : String(parts[2])); only access points of S3 itself can "
                    + "be mounted")
        }
        guard let partition = Partition(rawValue: String(parts[1])) else {
            throw SettingsError("\(shown) names a partition of AWS that doesn't exist: \(parts[1])")
        }
        let resource = parts[5].split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "/" || $0 == ":" }
        guard resource.count == 2, resource[0] == "accesspoint" else { throw Self.unusable(shown) }
        guard !parts[3].isEmpty else {
            throw SettingsError("\(shown) has no region: multi-Region access points can't be mounted, mount one bucket")
        }
        region = String(parts[3])
        account = String(parts[4])
        name = String(resource[1])
        guard Region.isValid(region), Partition(region: region) == partition else {
            throw SettingsError("\(shown) names the region \(Excerpt.of(region.utf8)), which is not one of \(parts[1])")
        }
        guard account.utf8.count == 12, account.utf8.allSatisfy(\.isDigit) else {
            throw SettingsError("\(shown) has no valid account (expected twelve digits)")
        }
        guard Self.isName(name) else {
            throw SettingsError(
                "\(shown) has no valid access point name (3 to 50 of a-z, 0-9 and \"-\", not \"-\" at either end)"
            )
        }
    }

    /// The ARN.
    var arn: String { "arn:\(Partition(region: region).rawValue):s3:\(region):\(account):accesspoint/\(name)" }

    /// The prefix of the host name.
    var hostLabel: String { "\(name)-\(account)" }

    private static func unusable(_ shown: String) -> SettingsError {
        SettingsError("\(shown) is no access point's ARN: give arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME")
    }

    private static func isName(_ name: String) -> Bool {
        let hyphen = UInt8(ascii: "-")
        return (3...50).contains(name.utf8.count) && name.utf8.first != hyphen && name.utf8.last != hyphen
            && name.utf8.allSatisfy {
                $0.isDigit || $0 == hyphen || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
            }
    }
}
