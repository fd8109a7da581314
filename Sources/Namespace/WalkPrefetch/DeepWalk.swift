import ObjectStore

/// A possible walk through a whole tree, and its prefetches: flat pages, beginning with the nearest unknown keys behind
/// the directory that was read last.
struct DeepWalk {
    /// The most pages in flight for one walk: 32 at 20 ms each are more keys than the kernel can read.
    static let widthMax = 32
    /// The number of unused pages that a walk may have, besides a tenth of the used ones.
    static let unvisitedCountMax = 32
    /// The number of reads before a walk looks ahead again, if everything it could request was known.
    private static let restCount = 128
    /// The most directories to examine at once for the next unknown key, and the most times in a row.
    private static let visitCountMax = 256
    private static let scanCountMax = 4

    /// The number of the walk in the accounting.
    var number: Int
    var trail: WalkTrail
    /// The time of the last step, in events.
    var lastUse: Int
    /// The walk that this one branched off, if it may be the same walk: a program skipped directories, or another
    /// program read one.
    var origin: Origin?

    /// The point at which a walk branched off another one.
    struct Origin {
        let number: Int
        /// The last use of the other walk at that time.
        let lastUse: Int
    }

    private var pages: PredictedPages
    /// The number of requests that may be in flight: one at first, and one more for each used page.
    private var width = 1
    private var restingCount = 0
    /// `true` if part of the directory that was read last was known before.
    private var isAtKnown = false
    /// `true` if the walk has gone back in the order of keys. Keys behind it may then be ahead of it.
    private var goesBack = false

    init(number: Int, root: Key, lastUse: Int) {
        self.number = number
        self.lastUse = lastUse
        trail = WalkTrail(from: root)
        pages = PredictedPages(root: root)
    }

    /// Notes that `directory` is read, which is a step of this walk.
    mutating func take(_ step: WalkTrail.Step, to directory: Key, wasKnown: Bool) {
        if directory < trail.current { goesBack = true }
        trail.take(step, to: directory)
        isAtKnown = wasKnown
        if wasKnown { restingCount = max(0, restingCount - 1) } else { restingCount = 0 }
    }

    /// Notes a used page.
    mutating func notePageUse() {
        width = min(width + 1, DeepWalk.widthMax)
    }

    /// Notes a page with `keys`, of which no other page covers those in `own`.
    mutating func settle(_ keys: [Key], own: KeyInterval) {
        pages.settle(keys, own: own)
    }

    /// Notes a failed page.
    mutating func noteFailure() {
        width = max(1, width / 2)
    }

    /// Returns the pages to request now.
    mutating func plan(
        _ accounting: inout PrefetchAccounting, _ tree: some TreeView, unvisitedCountMax: Int
    ) -> [PrefetchRequest] {
        guard trail.isRecognized, restingCount == 0 else { return [] }
        let isCurrentComplete = isAtKnown && tree.isComplete(trail.current)
        if isCurrentComplete && !mayRequest(accounting, unvisitedCountMax: unvisitedCountMax) { return [] }
        var requests: [PrefetchRequest] = []
        var search = Search(position: trail.current)
        while accounting.account(of: number).inFlightCount < width, let start = nextUnknown(&search, accounting, tree) {
            // The reader waits for the missing page of its directory, so that page will be used however many others
            // aren't.
            let isDemanded = !isCurrentComplete && !search.hasPassedPages && start.hasPrefix(trail.current)
            // An eighth of the allowance is for segments that have begun: otherwise pages far ahead would use it up,
            // and these would stop.
            let isNew = !accounting.hasArrived(upTo: start)
            if !isDemanded && !mayRequest(accounting, unvisitedCountMax: unvisitedCountMax, isNew: isNew) { break }
            requests.append(pages.request(from: start, for: number, &accounting, tree))
            if isDemanded { _ = accounting.use(start) }
            search.position = start
        }
        // With nothing to request, or only far away, searching again at each step would cost more than the steps.
        let isIdle = requests.isEmpty && accounting.account(of: number).inFlightCount == 0
        if search.isTooFar || isIdle { restingCount = DeepWalk.restCount }
        return requests
    }

    private func mayRequest(_ accounting: PrefetchAccounting, unvisitedCountMax: Int, isNew: Bool = false) -> Bool {
        let account = accounting.account(of: number)
        let allowance = min(
            account.usedCount / 10 + min(DeepWalk.unvisitedCountMax, 2 * width - 1), unvisitedCountMax)
        return account.unvisitedCount < (isNew ? allowance - allowance / 8 : allowance)
    }

    /// The progress of the search for unknown keys.
    private struct Search {
        var position: Key
        /// `true` if there are pages in flight between the directory that was read last and `position`.
        var hasPassedPages = false
        /// `true` if the search has reached the end and continued from the walk's root.
        var hasWrapped = false
        /// `true` if the search ended because too much is known.
        var isTooFar = false
    }

    /// Returns the next key that is neither known nor in flight.
    private func nextUnknown(_ search: inout Search, _ accounting: PrefetchAccounting, _ tree: some TreeView) -> Key? {
        for _ in 0..<DeepWalk.scanCountMax {
            let (covered, inFlightCount) = accounting.coveredEnd(from: search.position)
            if inFlightCount > 0 { search.hasPassedPages = true }
            if let covered, covered.hasPrefix(trail.root),
                let known = tree.knownEnd(from: covered, below: trail.root, visiting: DeepWalk.visitCountMax)
            {
                if known <= covered { return search.hasWrapped && covered >= trail.current ? nil : covered }
                search.position = known
            } else {
                if search.hasWrapped || !goesBack { return nil }
                search.hasWrapped = true
                search.hasPassedPages = true
                search.position = trail.root
            }
        }
        search.isTooFar = true
        return nil
    }
}
