import SystemSupport

/// The name of an object, or a prefix of names, as the bytes that S3 stores.
///
/// Not a `String`: Swift compares strings by canonical equivalence. Two different keys of S3 ("é" composed and
/// decomposed) would be equal, and keys would not sort in S3's order, which is that of the UTF-8 bytes.
public struct Key: Hashable, Sendable {
    /// The bytes; UTF-8 if the object was written by a conforming client.
    public var bytes: [UInt8]

    /// Creates a key of these bytes.
    @inlinable public init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    /// Creates a key of the UTF-8 bytes of `text`.
    public init(_ text: String) {
        self.bytes = Array(text.utf8)
    }

    /// The empty key: the prefix of a whole bucket.
    public static let empty = Key([])

    /// The length of S3's longest keys ("Naming Amazon S3 objects" in the Amazon S3 User Guide).
    private static let byteCountMax = 1_024

    /// The separator of folders, in S3's listings and in our paths.
    public static let delimiter = UInt8(ascii: "/")

    /// Returns `true` if the key begins with `prefix`.
    public func hasPrefix(_ prefix: Key) -> Bool {
        bytes.count >= prefix.bytes.count && startOrder(prefix) == 0
    }

    /// `true` if the key ends in "/": such an object is a directory marker, and such a prefix is a directory.
    public var endsInDelimiter: Bool {
        bytes.last == Key.delimiter
    }

    /// The prefix of the folder that contains the key: the key up to its last "/". A key that ends in "/" is its own
    /// folder.
    public var folderPrefix: Key {
        Key(bytes.prefix((bytes.lastIndex(of: Key.delimiter) ?? -1) + 1))
    }

    /// Returns the key followed by `suffix`.
    public func appending(_ suffix: some Sequence<UInt8>) -> Key {
        Key(bytes + suffix)
    }
}

extension Key: CustomStringConvertible, ExpressibleByStringLiteral {
    /// The key for display and for the log. Control and format characters and bytes that are not UTF-8 are escaped, so
    /// that a key of a hostile bucket can't forge a log line, send an escape sequence to a terminal, or reorder text. A
    /// key longer than S3 allows ends in "…".
    public var description: String {
        var text = ""
        for scalar in String(decoding: bytes.prefix(Key.byteCountMax), as: UTF8.self).unicodeScalars {
            text += scalar.isControlOrFormat ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return bytes.count > Key.byteCountMax ? text + "…" : text
    }

    /// Creates the key of a literal's UTF-8 bytes.
    public init(stringLiteral text: String) {
        self.init(text)
    }
}
