import ObjectStore

/// Lists everything below a directory, as much of it at once as makes sense. Knows no store and no clock.
///
/// Flat pages, the nearest unknown keys first, as ahead of a walk (`GuessedPages`). Since nobody reads directories here,
/// their subdirectories, which pages are split at, may have to be listed: where too little is under way, those of the
/// topmost directory with big or with many children.
struct Sweep {
    /// Pages under way, at the most.
    static let widthMax = DeepWalk.widthMax
    /// The sweep's name in its ledger, which knows no other.
    private static let number = 0
    private static let visitCountMax = 1_024

    private let root: Key
    private var ledger = PageLedger()
    private var pages: GuessedPages
    /// Everything before this key has been listed; `nil` where that is all.
    private var position: Key?
    /// Directories whose subdirectories were asked for.
    private var listedLevels: Set<Key> = []
    private var levelUnderWay: Key?
    private var directoryCount = 0

    init(below root: Key) {
        self.root = root
        position = root
        pages = GuessedPages(root: root)
    }

    /// Whether everything is listed.
    var isDone: Bool { position == nil && levelUnderWay == nil }

    /// How many keys were listed that no other page told of.
    var keyCount: Int { pages.keyCount }

    /// What to ask for now.
    mutating func plan(_ tree: some WalkedTree) -> [AheadRequest] {
        advance(tree)
        guard var search = position else { return [] }
        var requests: [AheadRequest] = []
        var isNearest = true
        while ledger.account(of: Sweep.number).underWayCount < Sweep.widthMax,
            let start = nextUnknown(from: search, tree),
            isNearest || pages.areEfficient(ledger.account(of: Sweep.number))
        {
            requests.append(pages.ask(from: start, for: Sweep.number, &ledger, tree))
            search = start
            isNearest = false
        }
        if ledger.account(of: Sweep.number).underWayCount == 0 { position = nil }
        if let listing = levelListing(tree) { requests.append(listing) }
        return requests
    }

    /// Leaves behind what is listed. It never comes back there, also where the memory is short and listings go again.
    private mutating func advance(_ tree: some WalkedTree) {
        while let reached = position {
            position = ledger.dropArrived(from: reached).flatMap { clipped($0) }
            guard let end = position, let next = ledger.pages.first?.lower, end < next else { return }
            guard let known = tree.knownEnd(from: end, below: root, visiting: Sweep.visitCountMax), known > end else {
                return
            }
            position = min(known, next)
        }
    }

    /// A page has come that tells of `interval` by `keys`; the next page of the same directory to ask for, if there is one.
    mutating func noteArrival(_ name: AheadRequest.Name, _ keys: [Key], in interval: KeyInterval) -> AheadRequest? {
        switch name {
        case .page(let number):
            guard let page = ledger.finish(number, upTo: interval.upper) else { return nil }
            pages.settle(number, keys, in: interval, own: KeyInterval(lower: page.lower, upper: page.upper))
            return nil
        case .directory(let number):
            guard let directory = levelUnderWay, let last = keys.last, let upper = interval.upper,
                directory.endOfPrefix.map({ upper < $0 }) ?? true
            else {
                levelUnderWay = nil
                return nil
            }
            return AheadRequest(number, listing: directory, startAfter: last)
        }
    }

    /// The next key of which nothing is known and nothing under way.
    private func nextUnknown(from key: Key, _ tree: some WalkedTree) -> Key? {
        var key = key
        while true {
            guard let covered = ledger.coveredEnd(from: key).end.flatMap({ clipped($0) }),
                let known = tree.knownEnd(from: covered, below: root, visiting: Sweep.visitCountMax)
            else { return nil }
            if known <= covered { return covered }
            key = known
        }
    }

    /// The listing of subdirectories that may help, where too little is under way.
    private mutating func levelListing(_ tree: some WalkedTree) -> AheadRequest? {
        guard levelUnderWay == nil, ledger.account(of: Sweep.number).underWayCount < Sweep.widthMax / 2,
            let position, let level = pages.forecast.unlistedLevel(above: position, in: tree),
            listedLevels.insert(level).inserted
        else { return nil }
        levelUnderWay = level
        directoryCount += 1
        return AheadRequest(directoryCount, listing: level)
    }

    /// The key, if it is below the root.
    private func clipped(_ key: Key) -> Key? {
        key.hasPrefix(root) ? key : nil
    }
}
