import ObjectStore

/// The flat pages that were prefetched for walks: their ranges, and their use.
///
/// Pages lie side by side in the order of keys and don't overlap. A page that shares keys with the next one, because
/// its predicted end was too early, ends at the beginning of that one.
struct PrefetchAccounting {
    /// A requested page.
    struct Page {
        /// The number that identifies the page.
        let number: Int
        /// The walk that it was requested for.
        let walk: Int
        /// The first key that it covers.
        let lower: Key
        /// The first key behind those that it covers or, while it is in flight, is expected to cover; `nil` if it has
        /// no end.
        var upper: Key?
        var hasArrived = false
        /// `true` if a directory that it covers was read.
        var isUsed = false

        /// Returns `true` if the page covers entries of a directory, or is expected to: it contains the beginning of
        /// the directory, or begins within it.
        func covers(_ directory: Key) -> Bool {
            (lower <= directory || lower.folderPrefix == directory) && (upper.map { directory < $0 } ?? true)
        }
    }

    /// The numbers of pages of one walk.
    struct Account {
        /// Unused pages, in flight or here.
        var unvisitedCount = 0
        /// Pages in flight.
        var inFlightCount = 0
        /// Used pages.
        var usedCount = 0
        /// All pages ever, failed ones included.
        var requestedCount = 0
    }

    /// The most pages to keep; used ones are dropped first.
    private static let countLimit = 2_048

    /// Requested pages that weren't dropped, in the order of keys.
    private(set) var pages: [Page] = []
    private(set) var accounts: [Int: Account] = [:]
    private var pageCount = 0

    /// Returns the numbers of a walk.
    func account(of walk: Int) -> Account { accounts[walk] ?? Account() }

    /// Returns the end of the pages that lie side by side from `key` on and cover everything, or will: `key` itself if
    /// there are none, and `nil` if they have no end. Also returns the number of these in flight.
    func coveredEnd(from key: Key) -> (end: Key?, inFlightCount: Int) {
        var end = key
        var inFlightCount = 0
        for page in pages[max(0, firstIndex(behind: key) - 1)...] {
            if page.lower > end { break }
            guard let upper = page.upper else { return (nil, inFlightCount + (page.hasArrived ? 0 : 1)) }
            if upper <= end { continue }
            end = upper
            if !page.hasArrived { inFlightCount += 1 }
        }
        return (end, inFlightCount)
    }

    /// Returns `true` if a page that has arrived ends at `key`.
    func hasArrived(upTo key: Key) -> Bool {
        let index = firstIndex(behind: key)
        return index > 0 && pages[index - 1].hasArrived && pages[index - 1].upper == key
    }

    /// Returns the beginning of the next page behind `key`.
    func nextStart(behind key: Key) -> Key? {
        let index = firstIndex(behind: key)
        return index < pages.count ? pages[index].lower : nil
    }

    /// Adds a requested page that is expected to cover `interval`, which no other page covers. Returns its number.
    mutating func begin(_ interval: KeyInterval, for walk: Int) -> Int {
        forgetSome()
        pageCount += 1
        let page = Page(number: pageCount, walk: walk, lower: interval.lower, upper: interval.upper)
        pages.insert(page, at: firstIndex(behind: interval.lower))
        accounts[walk, default: Account()].unvisitedCount += 1
        accounts[walk, default: Account()].inFlightCount += 1
        accounts[walk, default: Account()].requestedCount += 1
        return pageCount
    }

    /// Notes a page that covers everything up to `upper`. Returns the updated page; `nil` if its walk was dropped.
    mutating func finish(_ number: Int, upTo upper: Key?) -> Page? {
        guard let index = pages.firstIndex(where: { $0.number == number }) else { return nil }
        let next = index + 1 < pages.count ? pages[index + 1].lower : nil
        pages[index].upper = KeyInterval.earlierEnd(upper, next)
        pages[index].hasArrived = true
        accounts[pages[index].walk]?.inFlightCount -= 1
        return pages[index]
    }

    /// Notes a failed page.
    mutating func fail(_ number: Int) -> Page? {
        guard let index = pages.firstIndex(where: { $0.number == number }) else { return nil }
        let page = pages.remove(at: index)
        accounts[page.walk]?.inFlightCount -= 1
        if !page.isUsed { accounts[page.walk]?.unvisitedCount -= 1 }
        return page
    }

    /// Notes that a directory is read: pages that cover it are used. Returns the walks of those that have arrived, each
    /// as often as it has such a page.
    mutating func use(_ directory: Key) -> [Int] {
        var walks: [Int] = []
        var index = firstIndex(behind: directory)
        // The page that contains the beginning of the directory, and those that begin within its own entries.
        index = max(0, index - 1)
        while index < pages.count {
            let page = pages[index]
            if page.lower > directory && !page.lower.hasPrefix(directory) { break }
            if page.covers(directory) && !page.isUsed {
                pages[index].isUsed = true
                accounts[page.walk]?.unvisitedCount -= 1
                accounts[page.walk]?.usedCount += 1
                if page.hasArrived { walks.append(page.walk) }
            }
            if page.lower > directory && page.lower.folderPrefix != directory { break }
            index += 1
        }
        return walks
    }

    /// Drops pages that cover `directory`, since it isn't known any more.
    mutating func lose(_ directory: Key) {
        let lost = pages.filter { $0.hasArrived && $0.covers(directory) }
        for page in lost where !page.isUsed { accounts[page.walk]?.unvisitedCount -= 1 }
        pages.removeAll { page in lost.contains { $0.number == page.number } }
    }

    /// Drops the arrived pages that lie side by side from `key` on. Returns their end; `nil` if they have none.
    mutating func dropArrived(from key: Key) -> Key? {
        var end: Key? = key
        while let first = pages.first, first.hasArrived, let reached = end, first.lower <= reached {
            end = first.upper.map { max($0, reached) }
            pages.removeFirst()
        }
        return end
    }

    /// Drops the pages of a walk that is over.
    mutating func forget(_ walk: Int) {
        pages.removeAll { $0.walk == walk }
        accounts[walk] = nil
    }

    /// Returns the index of the first page that begins behind `key`.
    private func firstIndex(behind key: Key) -> Int {
        var low = 0
        var high = pages.count
        while low < high {
            let middle = (low + high) / 2
            if pages[middle].lower <= key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Drops used pages if there are many: that their keys are known shows without them.
    private mutating func forgetSome() {
        if pages.count < PrefetchAccounting.countLimit { return }
        pages.removeAll { $0.hasArrived && $0.isUsed }
    }
}
