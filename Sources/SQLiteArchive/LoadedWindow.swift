import Namespace
import ObjectStore

/// Listings that were read in one go, in the order of their prefixes: a walker wants them one after the other.
struct LoadedWindow {
    /// What it says of a directory.
    enum Answer {
        case listing(ArchivedListing)
        /// None is kept.
        case absent
        /// It was not read, or was given away before.
        case unknown
    }

    /// The prefix that was asked for, where it begins.
    let lower: Key
    /// The last prefix that was read; `nil` where that was the last there is.
    let upper: Key?
    /// When it was read: what is kept later isn't in it.
    let loadedAt: ContinuousClock.Instant
    /// How often something had been forgotten before.
    let forgetCount: UInt64
    /// How many listings were read at the most.
    let limit: Int
    /// How many listings were given away.
    private var usedCount = 0
    private let prefixes: [Key]
    /// `nil` for those that were given away: whoever has them keeps them.
    private var listings: [ArchivedListing?]

    /// - Parameter isToEnd: Whether there are none behind `listings`, which are in order.
    init(
        from lower: Key, listings: [ArchivedListing], isToEnd: Bool, limit: Int,
        loadedAt: ContinuousClock.Instant, forgetCount: UInt64
    ) {
        self.lower = lower
        upper = isToEnd ? nil : listings.last?.prefix ?? lower
        self.listings = listings
        self.limit = limit
        self.loadedAt = loadedAt
        self.forgetCount = forgetCount
        prefixes = listings.map(\.prefix)
    }

    /// What there is of the directory `prefix`. A listing is given away once.
    mutating func take(_ prefix: Key) -> Answer {
        guard prefix >= lower, upper.map({ prefix <= $0 }) ?? true else { return .unknown }
        let index = firstIndex(notBefore: prefix)
        guard index < prefixes.count, prefixes[index] == prefix else { return .absent }
        guard let listing = listings[index] else { return .unknown }
        listings[index] = nil
        usedCount += 1
        return .listing(listing)
    }

    /// Whether at least half of it was wanted.
    var isUsed: Bool { usedCount * 2 >= prefixes.count }

    private func firstIndex(notBefore prefix: Key) -> Int {
        var range = 0..<prefixes.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range = prefixes[middle] < prefix ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return range.lowerBound
    }
}
