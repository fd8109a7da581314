import ObjectStore

/// The entries of listings that were not as S3 would write them, by kind. Each affects that entry only.
public struct ListFlaws: Sendable, Equatable {
    /// Kinds of flaws. The raw values are for programs (`tractfs status --json`).
    public enum Kind: String, CaseIterable, Sendable {
        /// No ETag, or one that can't be sent back: size and time identify the object instead.
        case noETag = "no_etag"
        /// No time that can be read: the file shows `Timestamp.unknown`.
        case noTime = "no_time"
        /// No size that can be read: the entry is left out.
        case noSize = "no_size"
        /// A key of bytes that can't be read, none at all, or a common prefix that does not end in "/": the entry is left out.
        case badKey = "bad_key"
        /// A key that does not begin with the prefix that was asked for: the entry is left out.
        case outsidePrefix = "outside_prefix"
        /// A key that the page has already given: the entry is left out.
        case repeated
    }

    /// The number of entries of each kind that there are.
    public private(set) var counts: [Kind: Int] = [:]
    /// The key of the first entry of each kind.
    private(set) var firstKeys: [Kind: Key] = [:]

    /// No flaws.
    package init() {}

    /// Counts an entry.
    mutating func note(_ kind: Kind, _ key: Key) {
        counts[kind, default: 0] += 1
        if firstKeys[kind] == nil { firstKeys[kind] = key }
    }

    /// Adds other entries.
    mutating func add(_ other: ListFlaws) {
        counts.merge(other.counts, uniquingKeysWith: +)
        firstKeys.merge(other.firstKeys) { mine, _ in mine }
    }
}

extension ListFlaws.Kind {
    /// The message of the first entry of this kind.
    var message: String {
        switch self {
        case .noETag:
            "the store lists an object without a usable ETag; its size and time identify it instead"
        case .noTime:
            "the store lists an object without a time that can be read; it shows 2000-01-01"
        case .noSize: "the store lists an object without a size that can be read; it is left out"
        case .badKey: "the store lists a key that can't be read; it is left out"
        case .outsidePrefix: "the store lists a key that does not begin with the prefix asked for; it is left out"
        case .repeated: "the store lists a key twice in a page; the second one is left out"
        }
    }
}
