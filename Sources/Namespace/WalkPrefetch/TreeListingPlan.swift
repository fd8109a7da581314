import ObjectStore

/// The requests that list everything below a directory, many at once. Knows no store and no clock.
///
/// They are flat pages, beginning with the nearest unknown keys, as for a deep walk (`PredictedPages`). No program
/// reads directories here, so the subdirectories at which pages can begin may be unknown. If too few requests are in
/// flight, the topmost directory with many keys is listed for them.
struct TreeListingPlan {
    /// The most pages in flight.
    static let widthMax = DeepWalk.widthMax
    /// The number of the only walk in the accounting.
    private static let number = 0
    private static let visitCountMax = 1_024

    private let root: Key
    private var accounting = PrefetchAccounting()
    private var pages: PredictedPages
    /// The end of the listed keys; `nil` if everything is listed.
    private var frontier: Key?
    /// Directories whose subdirectories were requested.
    private var listedLevels: Set<Key> = []
    private var levelInFlight: Key?
    private var directoryCount = 0

    init(below root: Key) {
        self.root = root
        frontier = root
        pages = PredictedPages(root: root)
    }

    /// `true` if everything is listed.
    var isDone: Bool { frontier == nil && levelInFlight == nil }

    /// The number of keys that only one page covered.
    var keyCount: Int { pages.keyCount }

    /// Returns the requests to send now.
    mutating func nextRequests(_ tree: some TreeView) -> [PrefetchRequest] {
        advance(tree)
        guard var search = frontier else { return [] }
        var requests: [PrefetchRequest] = []
        while accounting.account(of: TreeListingPlan.number).inFlightCount < TreeListingPlan.widthMax,
            let start = nextUnknown(from: search, tree)
        {
            requests.append(pages.request(from: start, for: TreeListingPlan.number, &accounting, tree))
            search = start
        }
        if accounting.account(of: TreeListingPlan.number).inFlightCount == 0 { frontier = nil }
        if let listing = levelListing(tree) { requests.append(listing) }
        return requests
    }

    /// Moves the frontier over everything that is listed. It never goes back, even if memory is short and listings are
    /// dropped again.
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

    /// Notes a page that covers `interval` with `keys`. Returns the request for the next page of the same directory, if
    /// there is one.
    mutating func noteArrival(_ name: PrefetchRequest.Name, _ keys: [Key], in interval: KeyInterval) -> PrefetchRequest?
    {
        switch name {
        case .page(let number):
            guard let page = accounting.finish(number, upTo: interval.upper) else { return nil }
            pages.settle(keys, own: KeyInterval(lower: page.lower, upper: page.upper))
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

    /// Returns the next key that is neither known nor in flight.
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

    /// Returns the request for a listing of subdirectories, if too few requests are in flight.
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

    /// Returns the key if it is below the root.
    private func clipped(_ key: Key) -> Key? {
        key.hasPrefix(root) ? key : nil
    }
}
