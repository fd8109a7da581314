import ObjectStore

/// Lists everything below a directory, as much of it at once as makes sense. Knows no store and no clock.
///
/// Flat pages, the nearest unknown keys first, as ahead of a walk (`PredictedPages`). Since nobody reads directories here,
/// their subdirectories, which pages are split at, may have to be listed: where too little is under way, those of the
/// topmost directory with big or with many children.
struct TreeListingPlan {
    /// Pages under way, at the most.
    static let widthMax = DeepWalk.widthMax
    /// The sweep's name in its accounting, which knows no other.
    private static let number = 0
    private static let visitCountMax = 1_024

    private let root: Key
    private var accounting = PrefetchAccounting()
    private var pages: PredictedPages
    /// Everything before this key has been listed; `nil` where that is all.
    private var frontier: Key?
    /// Directories whose subdirectories were asked for.
    private var listedLevels: Set<Key> = []
    private var levelInFlight: Key?
    private var directoryCount = 0

    init(below root: Key) {
        self.root = root
        frontier = root
        pages = PredictedPages(root: root)
    }

    /// Whether everything is listed.
    var isDone: Bool { frontier == nil && levelInFlight == nil }

    /// How many keys were listed that no other page told of.
    var keyCount: Int { pages.keyCount }

    /// What to ask for now.
    mutating func plan(_ tree: some TreeView) -> [PrefetchRequest] {
        advance(tree)
        guard var search = frontier else { return [] }
        var requests: [PrefetchRequest] = []
        var isNearest = true
        while accounting.account(of: TreeListingPlan.number).inFlightCount < TreeListingPlan.widthMax,
            let start = nextUnknown(from: search, tree),
            isNearest || pages.areEfficient(accounting.account(of: TreeListingPlan.number))
        {
            requests.append(pages.request(from: start, for: TreeListingPlan.number, &accounting, tree))
            search = start
            isNearest = false
        }
        if accounting.account(of: TreeListingPlan.number).inFlightCount == 0 { frontier = nil }
        if let listing = levelListing(tree) { requests.append(listing) }
        return requests
    }

    /// Leaves behind what is listed. It never comes back there, also where the memory is short and listings go again.
    private mutating func advance(_ tree: some TreeView) {
        while let reached = frontier {
            frontier = accounting.dropArrived(from: reached).flatMap { clipped($0) }
            guard let end = frontier, let next = accounting.pages.first?.lower, end < next else { return }
            guard let known = tree.knownEnd(from: end, below: root, visiting: TreeListingPlan.visitCountMax),
                known > end
            else {
                return
            }
            frontier = min(known, next)
        }
    }

    /// A page has come that tells of `interval` by `keys`; the next page of the same directory to ask for, if there is one.
    mutating func noteArrival(_ name: PrefetchRequest.Name, _ keys: [Key], in interval: KeyInterval) -> PrefetchRequest?
    {
        switch name {
        case .page(let number):
            guard let page = accounting.finish(number, upTo: interval.upper) else { return nil }
            pages.settle(number, keys, in: interval, own: KeyInterval(lower: page.lower, upper: page.upper))
            return nil
        case .directory(let number):
            guard let directory = levelInFlight, let last = keys.last, let upper = interval.upper,
                directory.endOfPrefix.map({ upper < $0 }) ?? true
            else {
                levelInFlight = nil
                return nil
            }
            return PrefetchRequest(number, listing: directory, startAfter: last)
        }
    }

    /// The next key of which nothing is known and nothing under way.
    private func nextUnknown(from key: Key, _ tree: some TreeView) -> Key? {
        var key = key
        while true {
            guard let covered = accounting.coveredEnd(from: key).end.flatMap({ clipped($0) }),
                let known = tree.knownEnd(from: covered, below: root, visiting: TreeListingPlan.visitCountMax)
            else { return nil }
            if known <= covered { return covered }
            key = known
        }
    }

    /// The listing of subdirectories that may help, where too little is under way.
    private mutating func levelListing(_ tree: some TreeView) -> PrefetchRequest? {
        guard levelInFlight == nil,
            accounting.account(of: TreeListingPlan.number).inFlightCount < TreeListingPlan.widthMax / 2,
            let frontier, let level = pages.predictor.unlistedLevel(above: frontier, in: tree),
            listedLevels.insert(level).inserted
        else { return nil }
        levelInFlight = level
        directoryCount += 1
        return PrefetchRequest(directoryCount, listing: level)
    }

    /// The key, if it is below the root.
    private func clipped(_ key: Key) -> Key? {
        key.hasPrefix(root) ? key : nil
    }
}
