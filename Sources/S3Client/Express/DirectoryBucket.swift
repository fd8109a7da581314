/// An S3 directory bucket (S3 Express One Zone), recognized by its name: `NAME--ZONE--x-s3`, or `NAME--ZONE--xa-s3` for
/// an access point ("Directory bucket naming rules" in the Amazon S3 User Guide). No other bucket of AWS may have such
/// a name.
struct DirectoryBucket: Hashable, Sendable {
    /// The id of the bucket's zone: "use1-az4", or in a Local Zone "usw2-lax1-az1".
    let zone: String

    /// Parses a bucket's name; `nil` if `name` is not that of a directory bucket.
    init?(name: String) {
        guard let suffix = Self.suffixes.first(where: name.hasSuffix) else { return nil }
        let parts = name.dropLast(suffix.count).split(separator: "--", omittingEmptySubsequences: false)
        // The part before the separator may end in "-".
        let zone = (parts.last ?? "").drop { $0 == "-" }
        guard parts.count > 1, zone.contains("-"), Region.isValid(String(zone)) else { return nil }
        self.zone = String(zone)
    }

    private static let suffixes = ["--x-s3", "--xa-s3"]

    /// The region of the zone; `nil` if it cannot be derived from the zone's id.
    ///
    /// A zone's id begins with an abbreviation of its region: "usw2" for us-west-2, "apne1" for ap-northeast-1, "usgw1"
    /// for us-gov-west-1 ("Availability Zone IDs" in the AWS RAM User Guide).
    var region: String? {
        let code = zone.prefix { $0 != "-" }
        var direction = code.dropFirst(2).prefix { !$0.isNumber }
        let number = code.dropFirst(2 + direction.count)
        var area = String(code.prefix(2))
        guard Self.areas.contains(area), let value = UInt8(number), value > 0 else { return nil }
        if area == "us", direction.first == "g" {
            area = "us-gov"
            direction = direction.dropFirst()
        }
        return Self.directions[String(direction)].map { "\(area)-\($0)-\(value)" }
    }

    private static let areas: Set = ["af", "ap", "ca", "cn", "eu", "il", "me", "mx", "sa", "us"]

    private static let directions = [
        "c": "central", "e": "east", "n": "north", "ne": "northeast", "nw": "northwest", "s": "south",
        "se": "southeast",
        "sw": "southwest", "w": "west",
    ]
}
