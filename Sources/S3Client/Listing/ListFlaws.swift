import ObjectStore

/// The number of flawed entries in listings, by kind of flaw. A flaw affects only its entry.
public struct ListFlaws: Sendable, Equatable {
    /// A kind of flaw. The raw values are for programs (`tractfs status --json`).
    public enum Kind: String, CaseIterable, Sendable {
        /// The ETag is missing or cannot be sent back. Size and time identify the object instead.
        case noETag = "no_etag"
        /// The time is missing or unreadable. The file shows `Timestamp.unknown`.
        case noTime = "no_time"
        /// The size is missing or unreadable. The entry is left out.
        case noSize = "no_size"
        /// The key is missing or unreadable, or a common prefix does not end in "/". The entry is left out.
        case badKey = "bad_key"
        /// The key does not begin with the requested prefix. The entry is left out.
        case outsidePrefix = "outside_prefix"
        /// The page has contained the key before. The entry is left out.
        case repeated
    }

    /// The number of entries with each kind of flaw.
    public private(set) var counts: [Kind: Int] = [:]
    /// The key of the first entry with each kind of flaw.
    private(set) var firstKeys: [Kind: Key] = [:]

    /// Creates counts without flaws.
    package init() {}

    /// Counts a flawed entry.
    mutating func note(_ kind: Kind, _ key: Key) {
        counts[kind, default: 0] += 1
        if firstKeys[kind] == nil { firstKeys[kind] = key }
    }

    /// Adds the counts of other entries.
    mutating func add(_ other: ListFlaws) {
        counts.merge(other.counts, uniquingKeysWith: +)
        firstKeys.merge(other.firstKeys) { mine, _ in mine }
    }
}

extension ListFlaws.Kind {
    /// The log message for the first entry with this flaw.
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
