import SystemSupport

/// The name of an object, or the beginning of one (a prefix), as the bytes that S3 keeps.
///
/// Not a `String`: Swift compares strings by canonical equivalence, so two keys that S3 tells apart ("é" composed and
/// decomposed) would be one key, and would sort in another order than S3's, which is that of the UTF-8 bytes.
public struct Key: Hashable, Sendable {
    /// The bytes, UTF-8 where the object's owner used a conforming client.
    public var bytes: [UInt8]

    /// A key of these bytes.
    public init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// A key of the UTF-8 bytes of `text`.
    public init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    /// The empty key, which is the prefix of a whole bucket.
    public static let empty = Key([])

    /// How long S3's keys are at the most ("Naming Amazon S3 objects" in the Amazon S3 User Guide).
    private static let byteCountMax = 1_024

    /// The byte that S3's listings and our paths separate folders with.
    public static let delimiter = UInt8(ascii: "/")

    /// Whether the key begins with all of `prefix`.
    public func hasPrefix(_ prefix: Key) -> Bool {
        bytes.count >= prefix.bytes.count && startOrder(prefix) == 0
    }

    /// Whether the key ends in "/": as an object it is a directory marker, as a prefix a directory.
    public var endsInDelimiter: Bool {
        bytes.last == Key.delimiter
    }

    /// The prefix of the folder that the key is in: the key up to its last "/". For a key that ends in "/", that is the key itself.
    public var folderPrefix: Key {
        Key(bytes.prefix((bytes.lastIndex(of: Key.delimiter) ?? -1) + 1))
    }

    /// The key with `suffix` behind it.
    public func appending(_ suffix: some Sequence<UInt8>) -> Key {
        Key(bytes + suffix)
    }
}

extension Key: CustomStringConvertible, ExpressibleByStringLiteral {
    /// The key for a person or a log: control and formatting characters and bytes that are no UTF-8 are escaped, so that a
    /// key from a hostile bucket can neither forge a log line, nor reach a terminal as an escape sequence, nor turn text
    /// round. What is longer than S3's keys ends in "…".
    public var description: String {
        var text = ""
        for scalar in String(decoding: bytes.prefix(Key.byteCountMax), as: UTF8.self).unicodeScalars {
            text += scalar.isControlOrFormat ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return bytes.count > Key.byteCountMax ? text + "…" : text
    }

    /// The key of a literal's UTF-8 bytes.
    public init(stringLiteral text: String) {
        self.init(text)
    }
}
