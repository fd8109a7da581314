public import ObjectStore
import SystemSupport

/// `s3://BUCKET[/PREFIX]`, as a user gives it; instead of the bucket's name an access point's ARN may stand. The prefix is taken as it stands: nothing in it is decoded, and no "/" is
/// added.
public struct S3URI: Hashable, Sendable, CustomStringConvertible {
    /// The bucket's name, or an access point's ARN. Which names there are is the store's business: `awsProblem(withBucket:)` has
    /// AWS's rules.
    public let bucket: String
    /// All that follows the "/" behind the bucket.
    public let prefix: Key

    /// Reads a URI.
    ///
    /// - Throws: What is wrong with it.
    public init(parsing text: String) throws(SettingsError) {
        let scheme = "s3://"
        guard text.utf8.starts(with: scheme.utf8) else {
            throw SettingsError.noBucket(text)
        }
        let rest = text.utf8.dropFirst(scheme.utf8.count)
        if rest.starts(with: AccessPoint.prefix.utf8) {
            let arnBytes = Self.arn(at: rest)
            bucket = try AccessPoint(parsing: String(decoding: arnBytes, as: UTF8.self)).arn
            prefix = Key(rest.dropFirst(arnBytes.count + 1))
            try Self.checkLength(of: prefix)
            return
        }
        let bucketBytes = rest.prefix { $0 != Key.delimiter }
        bucket = String(decoding: bucketBytes, as: UTF8.self)
        prefix = Key(rest.dropFirst(bucketBytes.count + 1))
        guard !bucket.isEmpty else {
            throw SettingsError("\(Excerpt.of(text.utf8)) names no bucket: give s3://BUCKET[/PREFIX]")
        }
        if let problem = Self.problem(withBucket: bucket) {
            throw SettingsError("\(Excerpt.of(bucket.utf8)) can't be a bucket's name: \(problem)")
        }
        try Self.checkLength(of: prefix)
    }

    private static func checkLength(of prefix: Key) throws(SettingsError) {
        guard prefix.bytes.count <= 1_024 else {
            throw SettingsError("the prefix has \(prefix.bytes.count) bytes, but S3's keys have at most 1024")
        }
    }

    /// An ARN has one "/" of its own, unless a ":" stands instead.
    private static func arn(at rest: Substring.UTF8View) -> Substring.UTF8View {
        let first = rest.prefix { $0 != Key.delimiter }
        guard Substring(first).hasSuffix(":accesspoint") else { return first }
        let name = rest[first.endIndex...].dropFirst().prefix { $0 != Key.delimiter }
        return rest[..<name.endIndex]
    }

    /// The URI.
    public var description: String { "s3://\(bucket)/\(prefix)" }

    /// The reason why no store can have a bucket of this name, or `nil`. The name becomes part of a path.
    private static func problem(withBucket name: String) -> String? {
        guard name.utf8.count <= 255 else { return "it must have at most 255 bytes" }
        guard name.unicodeScalars.allSatisfy({ !$0.isControlOrFormat && $0 != "\u{FFFD}" }) else {
            return "control characters may not stand in it"
        }
        return name == "." || name == ".." ? "in a path it has another meaning" : nil
    }

    /// The reason why AWS can't have a bucket of this name ("General purpose bucket naming rules" in the Amazon S3 User Guide), or
    /// `nil`.
    ///
    /// Reserved suffixes are not refused: an access point's alias (`…-s3alias`) stands where a bucket's name does.
    static func awsProblem(withBucket name: String) -> String? {
        let bytes = Array(name.utf8)
        guard (3...63).contains(bytes.count) else { return "it must have 3 to 63 characters" }
        guard bytes.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }) else {
            return "only a-z, 0-9, \"-\" and \".\" may stand in it"
        }
        guard isAlphanumeric(bytes[0]), isAlphanumeric(bytes[bytes.count - 1]) else {
            return "it must begin and end with a letter or digit"
        }
        guard !name.contains("..") else { return "two dots may not follow each other" }
        let labels = name.split(separator: ".")
        if labels.count == 4 && labels.allSatisfy({ UInt8($0) != nil }) { return "it may not look like an IP address" }
        return nil
    }

    /// Returns `true` if a name can stand in front of a host's name.
    static func isHostLabel(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count) && label.utf8.first != UInt8(ascii: "-")
                && label.utf8.allSatisfy { byte in
                    isAlphanumeric(byte | 0x20) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                }
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
