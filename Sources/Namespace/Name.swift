import ObjectStore

/// One component of a path: a name that a directory of ours can have an entry of.
public struct Name: Hashable, Sendable {
    /// The longest name, in bytes: Linux's NAME_MAX (limits.h), which `statfs` reports as well.
    public static let byteCountLimit = 255

    /// The name, one to 255 bytes of UTF-8, none of them NUL or "/".
    public let bytes: [UInt8]

    /// Why bytes are not a name.
    public enum Flaw: Error, Hashable, Sendable {
        /// Nothing between two "/".
        case empty
        /// "." or "..", which paths use for something else.
        case dots
        /// A NUL or a "/", which no path can hold.
        case forbiddenByte
        /// More than `byteCountLimit` bytes.
        case tooLong
        /// Not UTF-8, which every key is ("Naming Amazon S3 objects" in the Amazon S3 User Guide).
        case notUTF8
    }

    /// The name of these bytes. Names from applications and components of keys are judged here alike, so that a lookup
    /// and a listing agree on what there is.
    public init(_ bytes: some Collection<UInt8>) throws(Flaw) {
        if bytes.isEmpty { throw .empty }
        if bytes.count > Name.byteCountLimit { throw .tooLong }
        let bytes = Array(bytes)
        if bytes == [UInt8(ascii: ".")] || bytes == [UInt8(ascii: "."), UInt8(ascii: ".")] { throw .dots }
        if bytes.contains(where: { $0 == 0 || $0 == Key.delimiter }) { throw .forbiddenByte }
        if bytes.contains(where: { $0 >= 0x80 }), String(validating: bytes, as: UTF8.self) == nil { throw .notUTF8 }
        self.bytes = bytes
    }
}

/// What a key, or a common prefix, is for the directory that it was listed in.
enum Classification: Equatable {
    /// The directory's own marker: the key is the directory's prefix itself.
    case marker
    case file(Name)
    case directory(Name)
    /// No path can name it.
    case hidden(Name.Flaw)

    /// Classifies a key that begins with `prefix`, which ends in "/" or is empty.
    ///
    /// The one place where keys become names (DESIGN.md, "Odd keys"): what is behind the prefix up to the first "/" is a
    /// directory if there is a "/", also for a key deeper down, and a file if there is none.
    init(_ key: Key, below prefix: Key) {
        let relative = key.bytes.dropFirst(prefix.bytes.count)
        if relative.isEmpty {
            self = .marker
            return
        }
        let end = relative.firstIndex(of: Key.delimiter)
        do throws(Name.Flaw) {
            let name = try Name(relative[..<(end ?? relative.endIndex)])
            self = end == nil ? .file(name) : .directory(name)
        } catch {
            self = .hidden(error)
        }
    }
}
