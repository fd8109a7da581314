import ObjectStore

/// The flat pages that were asked for ahead of walks: where they are, and whether anybody came to see them.
///
/// Pages lie side by side in the order of keys and don't overlap: one that tells of keys of the next one as well, which
/// happens where the guess of how far it would go was too short, ends where that one begins.
struct PrefetchAccounting {
    /// A page that was asked for.
    struct Page {
        /// Its name.
        let number: Int
        /// Which walk it was asked for.
        let walk: Int
        /// The first key it tells of.
        let lower: Key
        /// The first key that it doesn't tell of, or, while it is under way, is not expected to; `nil` where it has no end.
        var upper: Key?
        var hasArrived = false
        /// Whether a directory that it tells of was read.
        var isUsed = false

        /// Whether the page tells of what is in the directory of this prefix, or is expected to: the beginning of the
        /// directory is in it, or the page itself begins within that directory.
        func tells(of directory: Key) -> Bool {
            (lower <= directory || lower.folderPrefix == directory) && (upper.map { directory < $0 } ?? true)
        }
    }

    /// How many pages one walk has asked for.
    struct Account {
        /// Pages that nobody has seen, under way or here.
        var unvisitedCount = 0
        /// Pages under way.
        var inFlightCount = 0
        /// Pages that were seen.
        var usedCount = 0
        /// All pages ever, failed ones included.
        var requestedCount = 0
    }

    /// How many pages are remembered; those that were seen go first.
    private static let countLimit = 2_048

    /// Pages that were asked for and not yet forgotten, in the order of keys.
    private(set) var pages: [Page] = []
    private(set) var accounts: [Int: Account] = [:]
    private var pageCount = 0

    /// What a walk has asked for.
    func account(of walk: Int) -> Account { accounts[walk] ?? Account() }

    /// Up to where pages side by side tell, or are going to tell, of everything from `key` on; `key` itself where none does,
    /// and `nil` where they have no end. Also, how many of them are under way.
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

    /// Where the next page behind `key` begins.
    func nextStart(behind key: Key) -> Key? {
        let index = firstIndex(behind: key)
        return index < pages.count ? pages[index].lower : nil
    }

    /// Notes that a page was asked for, expected to tell of `interval`, which no other page tells of.
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

    /// A page has come that tells of everything up to `upper`. The page as it is now remembered; `nil` where its walk has
    /// been forgotten.
    mutating func finish(_ number: Int, upTo upper: Key?) -> Page? {
        guard let index = pages.firstIndex(where: { $0.number == number }) else { return nil }
        let next = index + 1 < pages.count ? pages[index + 1].lower : nil
        pages[index].upper = KeyInterval.earlierEnd(upper, next)
        pages[index].hasArrived = true
        accounts[pages[index].walk]?.inFlightCount -= 1
        return pages[index]
    }

    /// A page won't come.
    mutating func fail(_ number: Int) -> Page? {
        guard let index = pages.firstIndex(where: { $0.number == number }) else { return nil }
        let page = pages.remove(at: index)
        accounts[page.walk]?.inFlightCount -= 1
        if !page.isUsed { accounts[page.walk]?.unvisitedCount -= 1 }
        return page
    }

    /// Somebody reads a directory: pages that tell of it are of use. The walks of those that are here, each as often as it
    /// has such a page.
    mutating func use(_ directory: Key) -> [Int] {
        var walks: [Int] = []
        var index = firstIndex(behind: directory)
        // The page that the directory begins in, and those that begin within its own entries.
        index = max(0, index - 1)
        while index < pages.count {
            let page = pages[index]
            if page.lower > directory && !page.lower.hasPrefix(directory) { break }
            if page.tells(of: directory) && !page.isUsed {
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

    /// What the page that `directory` is in told is not known any more.
    mutating func lose(_ directory: Key) {
        let lost = pages.filter { $0.hasArrived && $0.tells(of: directory) }
        for page in lost where !page.isUsed { accounts[page.walk]?.unvisitedCount -= 1 }
        pages.removeAll { page in lost.contains { $0.number == page.number } }
    }

    /// Forgets the pages that have arrived and lie side by side from `key` on. Where they end; `nil` where that is nowhere.
    mutating func dropArrived(from key: Key) -> Key? {
        var end: Key? = key
        while let first = pages.first, first.hasArrived, let reached = end, first.lower <= reached {
            end = first.upper.map { max($0, reached) }
            pages.removeFirst()
        }
        return end
    }

    /// A walk is over; nobody will see its pages.
    mutating func forget(_ walk: Int) {
        pages.removeAll { $0.walk == walk }
        accounts[walk] = nil
    }

    /// The first page that begins behind `key`.
    private func firstIndex(behind key: Key) -> Int {
        var low = 0
        var high = pages.count
        while low < high {
            let middle = (low + high) / 2
            if pages[middle].lower <= key { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// What has been seen will be seen to be known when somebody asks; it only costs memory here.
    private mutating func forgetSome() {
        if pages.count < PrefetchAccounting.countLimit { return }
        pages.removeAll { $0.hasArrived && $0.isUsed }
    }
}
