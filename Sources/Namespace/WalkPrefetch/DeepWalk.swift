import ObjectStore

/// Somebody who may be walking all of a tree, and what is asked for ahead of them: flat pages, the nearest unknown keys
/// behind the directory read last first.
struct DeepWalk {
    /// The pages under way for one walk, at the most: 32 at 20 ms each are more keys than the kernel can be told of.
    static let widthMax = 32
    /// How many pages nobody has seen a walk may have, besides a tenth of those that were of use.
    static let unvisitedCountMax = 32
    /// How many reads pass before a walk looks ahead again that found far more known than it could ask for.
    private static let restCount = 128
    /// How many directories are looked at at once for the next unknown key, and how often in a row.
    private static let visitCountMax = 256
    private static let scanCountMax = 4

    /// Its name in the accounting.
    var number: Int
    var trail: WalkTrail
    /// When its last step was, in events.
    var lastUse: Int
    /// The walk that this one may be, if that goes on nowhere else: somebody left out directories, or somebody else looked
    /// at one.
    var origin: Origin?

    /// Where a walk branched off another one.
    struct Origin {
        let number: Int
        /// The other walk's last use then.
        let lastUse: Int
    }

    private var pages: PredictedPages
    /// How many requests may be under way: one at first, and one more for each page that somebody came to see.
    private var width = 1
    private var restingCount = 0
    /// Whether something was known of the directory read last when it was read.
    private var isAtKnown = false
    /// Whether the walk has gone back in the order of keys: then what is behind it may be ahead of it.
    private var goesBack = false

    init(number: Int, root: Key, lastUse: Int) {
        self.number = number
        self.lastUse = lastUse
        trail = WalkTrail(from: root)
        pages = PredictedPages(root: root)
    }

    /// Somebody reads `directory`, which is a step of this walk.
    mutating func take(_ step: WalkTrail.Step, to directory: Key, wasKnown: Bool) {
        if directory < trail.current { goesBack = true }
        trail.take(step, to: directory)
        isAtKnown = wasKnown
        if wasKnown { restingCount = max(0, restingCount - 1) } else { restingCount = 0 }
    }

    /// A page was seen.
    mutating func notePageUse() {
        width = min(width + 1, DeepWalk.widthMax)
    }

    /// A page has come, which told of `interval` by `keys`, and of `own` as the only one.
    mutating func settle(_ page: Int, _ keys: [Key], in interval: KeyInterval, own: KeyInterval) {
        pages.settle(page, keys, in: interval, own: own)
    }

    /// A page won't come.
    mutating func fail(_ page: Int) {
        width = max(1, width / 2)
        pages.fail(page)
    }

    /// What to ask for now.
    mutating func plan(
        _ accounting: inout PrefetchAccounting, _ tree: some TreeView, unvisitedCountMax: Int
    ) -> [PrefetchRequest] {
        guard trail.isRecognised, restingCount == 0 else { return [] }
        let isCurrentComplete = isAtKnown && tree.isComplete(trail.current)
        if isCurrentComplete && !mayRequest(accounting, unvisitedCountMax: unvisitedCountMax) { return [] }
        var requests: [PrefetchRequest] = []
        var search = Search(position: trail.current)
        while accounting.account(of: number).inFlightCount < width, let start = nextUnknown(&search, accounting, tree) {
            // Whoever reads the directory waits for the page that it lacks, so that one is of use however many others are not.
            let isDemanded = !isCurrentComplete && !search.hasPassedPages && start.hasPrefix(trail.current)
            if !isDemanded && !mayRequest(accounting, unvisitedCountMax: unvisitedCountMax) { break }
            if search.hasPassedPages && !pages.areEfficient(accounting.account(of: number)) { break }
            requests.append(pages.request(from: start, for: number, &accounting, tree))
            if isDemanded { _ = accounting.use(start) }
            search.position = start
        }
        // Nothing left to ask for, or far away: looking again at each step would cost more than the steps.
        let isIdle = requests.isEmpty && accounting.account(of: number).inFlightCount == 0
        if search.isTooFar || isIdle { restingCount = DeepWalk.restCount }
        return requests
    }

    private func mayRequest(_ accounting: PrefetchAccounting, unvisitedCountMax: Int) -> Bool {
        let account = accounting.account(of: number)
        let allowance = account.usedCount / 10 + min(DeepWalk.unvisitedCountMax, 2 * width - 1)
        return account.unvisitedCount < min(allowance, unvisitedCountMax)
    }

    /// How far the search for what to ask for has come.
    private struct Search {
        var position: Key
        /// Whether pages under way lie between the directory read last and `position`.
        var hasPassedPages = false
        /// Whether it goes on from the walk's root, after it has come to the end.
        var hasWrapped = false
        /// Whether it ended because so much is known.
        var isTooFar = false
    }

    /// The next key of which nothing is known and nothing under way.
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
