import ObjectStore

/// Recognizes walks from reads and lookups, and chooses the listings to prefetch for them. Knows no store and no clock.
///
/// There are two kinds. A *deep* walk visits everything below a directory (`find`, `ls -R`, `du`, `rsync`, `os.walk`);
/// its prefetches are flat pages (`DeepWalk`). A *glob* walk visits the same relative path below one sibling after the
/// other (`glob("*/T1w/*.nii.gz")`); its prefetches are listings of just these directories (`GlobWalk`).
///
/// Waste is bounded. A deep walk never has more unused pages, in flight or here, than a tenth of the used ones plus
/// `DeepWalk.unvisitedCountMax`; at the beginning only one. A glob walk never has more unused directories than used
/// ones plus one, and at most `GlobWalk.widthMax`. Nothing is requested unless a walk goes on.
struct WalkDetector {
    /// The most walks to track. A read that belongs to none begins one, so most are never recognized.
    private static let walkCountMax = 16
    /// The most of these that aren't recognized.
    private static let candidateCountMax = 8
    /// The most directories to watch for glob walks, and the most levels above a read to examine.
    private static let levelCountMax = 64
    private static let levelDepthMax = 12

    private let unvisitedCountMax: Int
    private var walks: [DeepWalk] = []
    private var accounting = PrefetchAccounting()
    private var levels: [Key: GlobWalk] = [:]
    private var eventCount = 0
    private var walkCount = 0
    private var directoryCount = 0

    /// Creates a detector that knows no walk.
    ///
    /// - Parameter unvisitedCountMax: The number of unused pages of all walks that memory allows.
    init(unvisitedCountMax: Int = .max) {
        self.unvisitedCountMax = unvisitedCountMax
    }

    /// Notes that a program begins to read the entries of a directory.
    ///
    /// - Parameter wasKnown: `true` if the first entries were known already.
    mutating func noteRead(_ directory: Key, wasKnown: Bool, in tree: some TreeView) -> [PrefetchRequest] {
        eventCount += 1
        if !wasKnown { accounting.lose(directory) }
        for walk in accounting.use(directory) {
            if let index = index(of: walk) { walks[index].notePageUse() }
        }
        guard let index = take(directory, wasKnown: wasKnown, in: tree) else { return [] }
        if walks[index].trail.isRecognized { return plan(index, tree) }
        return noteLevel(directory, isRead: true, in: tree)
    }

    /// Notes that a program looks up a name in a directory of which nothing was known.
    mutating func noteMiss(_ directory: Key, in tree: some TreeView) -> [PrefetchRequest] {
        eventCount += 1
        return noteLevel(directory, isRead: false, in: tree)
    }

    /// Notes a page that covers `interval` with `keys`. The tree has its entries by now.
    mutating func noteArrival(
        _ name: PrefetchRequest.Name, _ keys: [Key], in interval: KeyInterval, tree: some TreeView
    ) -> [PrefetchRequest] {
        guard case .page(let number) = name else { return [] }
        guard let page = accounting.finish(number, upTo: interval.upper), let index = index(of: page.walk) else {
            return []
        }
        walks[index].settle(keys, own: KeyInterval(lower: page.lower, upper: page.upper))
        if page.isUsed || page.covers(walks[index].trail.current) {
            _ = accounting.use(walks[index].trail.current)
            walks[index].notePageUse()
        }
        // At once, since the walk's next step may be to wait for the successor of this page.
        return plan(index, tree)
    }

    /// Notes a failed page.
    mutating func noteFailure(_ name: PrefetchRequest.Name) {
        guard case .page(let number) = name else { return }
        guard let page = accounting.fail(number), let index = index(of: page.walk) else { return }
        walks[index].noteFailure()
    }

    /// The numbers of pages of all walks.
    var accounts: [PrefetchAccounting.Account] { Array(accounting.accounts.values) }

    private mutating func plan(_ index: Int, _ tree: some TreeView) -> [PrefetchRequest] {
        let others = accounting.accounts.reduce(0) {
            $0 + ($1.key == walks[index].number ? 0 : $1.value.unvisitedCount)
        }
        return walks[index].plan(&accounting, tree, unvisitedCountMax: max(1, unvisitedCountMax - others))
    }

    private func index(of walk: Int) -> Int? {
        walks.firstIndex { $0.number == walk }
    }
}

extension WalkDetector {
    /// Finds the walk that reading `directory` is a step of, or begins one. Returns its index; `nil` if the read is no
    /// step of a walk, but repeats one.
    private mutating func take(_ directory: Key, wasKnown: Bool, in tree: some TreeView) -> Int? {
        let steps = walks.map { $0.trail.step(to: directory, wasKnown: wasKnown, in: tree) }
        if let index = best(.good, of: steps, before: directory) {
            return go(index, .good, to: directory, wasKnown: wasKnown)
        }
        if let index = best(.again, of: steps, before: directory) {
            walks[index].lastUse = eventCount
            return nil
        }
        if let index = best(.past, of: steps, before: directory) {
            return go(
                walks[index].trail.isRecognized ? branch(off: index) : index, .past, to: directory, wasKnown: wasKnown)
        }
        return begin(at: directory)
    }

    /// Returns the index of the best walk for which the read is a step of this kind: recognized ones first, then the
    /// nearest one.
    private func best(_ step: WalkTrail.Step, of steps: [WalkTrail.Step?], before directory: Key) -> Int? {
        walks.indices.filter { steps[$0] == step }.max {
            let (left, right) = (walks[$0], walks[$1])
            if left.trail.isRecognized != right.trail.isRecognized { return right.trail.isRecognized }
            let (leftNearest, rightNearest) = (
                left.trail.nearest(before: directory), right.trail.nearest(before: directory)
            )
            return leftNearest == rightNearest ? left.lastUse < right.lastUse : leftNearest < rightNearest
        }
    }

    private mutating func go(_ index: Int, _ step: WalkTrail.Step, to directory: Key, wasKnown: Bool) -> Int {
        var index = index
        if step == .good { index = settleOrigin(of: index) }
        walks[index].lastUse = eventCount
        walks[index].take(step, to: directory, wasKnown: wasKnown)
        return index
    }

    /// Records that a walk continues after it branched off another one. If the other one hasn't continued, both become
    /// one walk.
    private mutating func settleOrigin(of index: Int) -> Int {
        guard let origin = walks[index].origin else { return index }
        walks[index].origin = nil
        guard let other = self.index(of: origin.number), walks[other].lastUse == origin.lastUse else { return index }
        walks[index].number = origin.number
        walks.remove(at: other)
        return other < index ? index - 1 : index
    }

    /// Adds a walk that may be the continuation of the one at `index`.
    private mutating func branch(off index: Int) -> Int {
        var walk = walks[index]
        walkCount += 1
        walk.origin = DeepWalk.Origin(number: walk.number, lastUse: walk.lastUse)
        walk.number = walkCount
        return add(walk)
    }

    private mutating func begin(at directory: Key) -> Int {
        walkCount += 1
        return add(DeepWalk(number: walkCount, root: directory, lastUse: eventCount))
    }

    private mutating func add(_ walk: DeepWalk) -> Int {
        let candidates = walks.indices.filter { !walks[$0].trail.isRecognized }
        let victims = candidates.count >= WalkDetector.candidateCountMax ? candidates : Array(walks.indices)
        if victims.count >= WalkDetector.candidateCountMax,
            candidates.count >= WalkDetector.candidateCountMax || walks.count >= WalkDetector.walkCountMax,
            let oldest = victims.min(by: { walks[$0].lastUse < walks[$1].lastUse })
        {
            accounting.forget(walks[oldest].number)
            walks.remove(at: oldest)
        }
        walks.append(walk)
        return walks.count - 1
    }
}

extension WalkDetector {
    /// Notes a use of a directory outside of recognized deep walks.
    private mutating func noteLevel(_ directory: Key, isRead: Bool, in tree: some TreeView) -> [PrefetchRequest] {
        var requests: [PrefetchRequest] = []
        var parent = directory.parentPrefix
        var depth = 0
        while let ancestor = parent, depth < WalkDetector.levelDepthMax {
            let name = Array(directory.child(of: ancestor) ?? [])
            let relative = directory.bytes.dropFirst(ancestor.bytes.count + name.count + 1)
            let directories = levels[ancestor, default: GlobWalk(parent: ancestor)].note(
                name, Array(relative), isRead: isRead, at: eventCount, in: tree)
            requests += directories.map { request(for: $0, from: ancestor) }
            parent = ancestor.parentPrefix
            depth += 1
        }
        if levels.count > WalkDetector.levelCountMax { forgetLevels() }
        return requests
    }

    /// Returns the request for the listing of a directory some levels below `ancestor`. It also proves that the
    /// directories between the two exist, so that lookups of these can wait for it.
    private mutating func request(for directory: Key, from ancestor: Key) -> PrefetchRequest {
        directoryCount += 1
        let sibling = directory.child(of: ancestor).map { ancestor.directory($0) }
        return PrefetchRequest(directoryCount, listing: directory, expectedFrom: sibling)
    }

    /// Drops the half that was used longest ago.
    private mutating func forgetLevels() {
        let uses = levels.values.map(\.lastUse).sorted()
        let median = uses[uses.count / 2]
        levels = levels.filter { $0.value.lastUse >= median }
    }
}
