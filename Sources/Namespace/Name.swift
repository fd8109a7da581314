import ObjectStore

/// One component of a path: a name that an entry of a directory can have.
public struct Name: Hashable, Sendable {
    /// The longest name, in bytes: Linux's NAME_MAX (limits.h), which `statfs` reports as well.
    public static let byteCountLimit = 255

    /// The name: one to 255 bytes of UTF-8, none of them NUL or "/".
    public let bytes: [UInt8]

    /// The reason why bytes aren't a name.
    public enum Flaw: Error, Hashable, Sendable {
        /// Nothing between two "/".
        case empty
        /// "." or "..", which have another meaning in paths.
        case dots
        /// A NUL or a "/", which no path can hold.
        case forbiddenByte
        /// More than `byteCountLimit` bytes.
        case tooLong
        /// Not UTF-8, which every key is ("Naming Amazon S3 objects" in the Amazon S3 User Guide).
        case notUTF8
    }

    /// The name of these bytes. Lookups and listings both use this check, so that they agree on the existing names.
    public init(_ bytes: some Collection<UInt8>) throws(Flaw) {
        // Checked before the copy: an application may pass a long name.
        if bytes.count > Name.byteCountLimit { throw .tooLong }
        let bytes = Array(bytes)
        if let flaw = bytes.withUnsafeBytes({ Name.flaw(of: $0) }) { throw flaw }
        self.bytes = bytes
    }

    /// Returns the reason why bytes aren't a name; `nil` if they are one.
    static func flaw(of bytes: ArraySlice<UInt8>) -> Flaw? {
        bytes.withUnsafeBytes { flaw(of: $0) }
    }

    /// Returns the reason why bytes aren't a name; `nil` if they are one.
    static func flaw(of bytes: UnsafeRawBufferPointer) -> Flaw? {
        if bytes.isEmpty { return .empty }
        if bytes.count > byteCountLimit { return .tooLong }
        let dot = UInt8(ascii: ".")
        if bytes[0] == dot && (bytes.count == 1 || (bytes.count == 2 && bytes[1] == dot)) { return .dots }
        var isASCII = true
        for byte in bytes {
            if byte == 0 || byte == Key.delimiter { return .forbiddenByte }
            if byte >= 0x80 { isASCII = false }
        }
        return isASCII || String(validating: bytes, as: UTF8.self) != nil ? nil : .notUTF8
    }
}
