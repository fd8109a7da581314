import DequeModule

/// Blocks of listings that have gone: expired ones that were replaced, and those that were dropped because memory was needed.
/// Most are gone as well. The others are held by somebody who still reads the listing, or by the kernel, which knows inodes
/// of them.
struct OrphanedBlocks {
    /// A block, as long as something else holds it.
    struct Orphan: Sendable {
        fileprivate(set) weak var block: EntryBlock?
    }

    /// How many blocks are looked at in one go, so that nobody waits for it.
    private static let lookCountMax = 256
    /// How many of them were asked about before.
    private static let askedLookCountMax = 16
    /// Below as many it doesn't matter how many of them have gone.
    private static let cleaningCountMin = 1_024

    /// Those that the kernel wasn't asked about so far.
    private var fresh: Deque<Orphan> = []
    /// Those that it was, the last ones last: it doesn't let go of what is in use.
    private var asked: Deque<Orphan> = []
    private var cleaningCount = Self.cleaningCountMin

    mutating func add(_ blocks: [EntryBlock]) {
        for block in blocks { fresh.append(Orphan(block: block)) }
        guard fresh.count + asked.count >= cleaningCount else { return }
        fresh.removeAll { $0.block == nil }
        asked.removeAll { $0.block == nil }
        cleaningCount = max(Self.cleaningCountMin, (fresh.count + asked.count) * 2)
    }

    /// The blocks to ask the kernel about next: fresh ones that take so many bytes, or as many as there are, and some others.
    ///
    /// - Returns: The blocks, and how many bytes the fresh ones of them take.
    mutating func next(byteCount: Int) -> (orphans: [Orphan], freshByteCount: Int) {
        var found: [Orphan] = []
        var freshByteCount = 0
        for _ in 0..<min(asked.count, Self.askedLookCountMax) {
            let orphan = asked.removeFirst()
            if orphan.block != nil { found.append(orphan) }
        }
        for _ in 0..<min(fresh.count, Self.lookCountMax) where freshByteCount < byteCount {
            let orphan = fresh.removeFirst()
            guard let block = orphan.block else { continue }
            freshByteCount += block.byteCount
            found.append(orphan)
        }
        asked += found
        return (found, freshByteCount)
    }
}
