import Namespace
import ObjectStore

/// Listings that were read together, in the order of their prefixes: a walker requests them one after the other.
struct LoadedWindow {
    /// The answer of a window about a directory.
    enum Answer {
        case listing(ArchivedListing)
        /// No stored listing.
        case absent
        /// A listing that was not read, or was handed out before.
        case unknown
    }

    /// The requested prefix, at which the window begins.
    let lower: Key
    /// The last prefix that was read; `nil` if the window extends to the end of the table.
    let upper: Key?
    /// The time of the read: the window lacks listings stored later.
    let loadedAt: ContinuousClock.Instant
    /// The forget count before the read.
    let forgetCount: UInt64
    /// The most listings that were to be read.
    let limit: Int
    /// The number of listings handed out.
    private var usedCount = 0
    private let prefixes: [Key]
    /// `nil` for those that were handed out: their receivers own them.
    private var listings: [ArchivedListing?]

    /// Creates the window of the listings that a query returned.
    ///
    /// - Parameter isToEnd: `true` if no listings follow `listings`, which are in order.
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

    /// Returns and removes the listing of the directory `prefix`. Each listing is handed out once.
    mutating func take(_ prefix: Key) -> Answer {
        guard prefix >= lower, upper.map({ prefix <= $0 }) ?? true else { return .unknown }
        let index = firstIndex(notBefore: prefix)
        guard index < prefixes.count, prefixes[index] == prefix else { return .absent }
        guard let listing = listings[index] else { return .unknown }
        listings[index] = nil
        usedCount += 1
        return .listing(listing)
    }

    /// `true` if at least half of the window was requested.
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
