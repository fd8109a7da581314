import ObjectStore

/// Recognises walks by what is read and looked up, and says what to list ahead of them. Knows no store and no clock.
///
/// Two kinds. A *deep* walk visits everything below a directory (`find`, `ls -R`, `du`, `rsync`, `os.walk`); ahead of it go
/// flat pages (`DeepWalk`). A *level* walk visits the same relative path below one sibling after the other
/// (`glob("*/T1w/*.nii.gz")`); ahead of it go listings of just these directories (`GlobWalk`).
///
/// What may be wasted is bounded: a deep walk never has more pages that nobody has seen, under way or here, than a tenth of
/// those that were of use and `DeepWalk.unvisitedCountMax`; at the beginning one. A level walk asks for no more directories
/// that nobody has come to than it has seen used, and one, and `GlobWalk.widthMax` at the most. Nothing is asked for
/// unless somebody goes on walking.
struct WalkDetector {
    /// How many walks are told apart. Reads that belong to none begin one, so most are never recognised.
    private static let walkCountMax = 16
    /// How many of these may be walks that were not recognised.
    private static let candidateCountMax = 8
    /// How many directories are watched for level walks, and how many levels above what is looked at.
    private static let levelCountMax = 64
    private static let levelDepthMax = 12

    private let unvisitedCountMax: Int
    private var walks: [DeepWalk] = []
    private var accounting = PrefetchAccounting()
    private var levels: [Key: GlobWalk] = [:]
    private var eventCount = 0
    private var walkCount = 0
    private var directoryCount = 0

    /// - Parameter unvisitedCountMax: How many pages that nobody has seen there is memory for, all walks together.
    init(unvisitedCountMax: Int = .max) {
        self.unvisitedCountMax = unvisitedCountMax
    }

    /// Somebody begins to read the entries of a directory.
    ///
    /// - Parameter wasKnown: Whether the first of them were known already.
    mutating func noteRead(_ directory: Key, wasKnown: Bool, in tree: some TreeView) -> [PrefetchRequest] {
        eventCount += 1
        if !wasKnown { accounting.lose(directory) }
        for walk in accounting.use(directory) {
            if let index = index(of: walk) { walks[index].notePageUse() }
        }
        guard let index = take(directory, wasKnown: wasKnown, in: tree) else { return [] }
        if walks[index].trail.isRecognised { return plan(index, tree) }
        return noteLevel(directory, isRead: true, in: tree)
    }

    /// Somebody looks up a name in a directory of which nothing was known.
    mutating func noteMiss(_ directory: Key, in tree: some TreeView) -> [PrefetchRequest] {
        eventCount += 1
        return noteLevel(directory, isRead: false, in: tree)
    }

    /// A page has come that tells of `interval` by `keys`. It is known to the tree by now.
    mutating func noteArrival(
        _ name: PrefetchRequest.Name, _ keys: [Key], in interval: KeyInterval, tree: some TreeView
    ) -> [PrefetchRequest] {
        guard case .page(let number) = name else { return [] }
        guard let page = accounting.finish(number, upTo: interval.upper), let index = index(of: page.walk) else {
            return []
        }
        let own = KeyInterval(lower: page.lower, upper: page.upper)
        walks[index].settle(number, keys, in: interval, own: own)
        // Who waits for it will say nothing more; others go on when the walk does.
        guard page.isUsed || page.tells(of: walks[index].trail.current) else { return [] }
        _ = accounting.use(walks[index].trail.current)
        walks[index].notePageUse()
        return plan(index, tree)
    }

    /// A page won't come.
    mutating func noteFailure(_ name: PrefetchRequest.Name) {
        guard case .page(let number) = name else { return }
        guard let page = accounting.fail(number), let index = index(of: page.walk) else { return }
        walks[index].fail(number)
    }

    /// What was asked for and seen, over all walks that are remembered.
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
    /// Finds the walk that reading `directory` is a step of, or begins one. Its index; `nil` where the read tells nothing.
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
                walks[index].trail.isRecognised ? branch(off: index) : index, .past, to: directory, wasKnown: wasKnown)
        }
        return begin(at: directory)
    }

    /// Of the walks to which it is such a step the recognised ones first, then the one that is nearest.
    private func best(_ step: WalkTrail.Step, of steps: [WalkTrail.Step?], before directory: Key) -> Int? {
        walks.indices.filter { steps[$0] == step }.max {
            let (left, right) = (walks[$0], walks[$1])
            if left.trail.isRecognised != right.trail.isRecognised { return right.trail.isRecognised }
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

    /// A walk that branched off another one goes on: if the other one hasn't, it was the same one.
    private mutating func settleOrigin(of index: Int) -> Int {
        guard let origin = walks[index].origin else { return index }
        walks[index].origin = nil
        guard let other = self.index(of: origin.number), walks[other].lastUse == origin.lastUse else { return index }
        walks[index].number = origin.number
        walks.remove(at: other)
        return other < index ? index - 1 : index
    }

    /// A walk that may be what the one at `index` goes on as.
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
        let candidates = walks.indices.filter { !walks[$0].trail.isRecognised }
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
    /// Somebody looks at a directory, and is not known to be walking through everything.
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

    /// Asks for the listing of a directory some levels below `ancestor`. It also proves that the directories between the two
    /// are there, so that who looks them up may wait for it.
    private mutating func request(for directory: Key, from ancestor: Key) -> PrefetchRequest {
        directoryCount += 1
        let sibling = directory.child(of: ancestor).map { ancestor.directory($0) }
        return PrefetchRequest(directoryCount, listing: directory, expectedFrom: sibling)
    }

    /// Forgets the half of them that was used longest ago.
    private mutating func forgetLevels() {
        let uses = levels.values.map(\.lastUse).sorted()
        let median = uses[uses.count / 2]
        levels = levels.filter { $0.value.lastUse >= median }
    }
}
