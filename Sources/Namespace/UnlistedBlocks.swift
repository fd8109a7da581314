import DequeModule

/// Blocks of listings that have gone: expired ones that were replaced, and those that were dropped because memory was needed.
/// Most are gone as well. The others are held by somebody who still reads the listing, or by the kernel, which knows inodes
/// of them.
struct UnlistedBlocks {
    /// A block, as long as something else holds it.
    struct WeakBlock: Sendable {
        fileprivate(set) weak var block: EntryBlock?
    }

    /// How many blocks are looked at in one go, so that nobody waits for it.
    private static let scanCountMax = 256
    /// How many of them were asked about before.
    private static let notifiedScanCountMax = 16
    /// Below as many it doesn't matter how many of them have gone.
    private static let cleaningCountMin = 1_024

    /// Those that the kernel wasn't asked about so far.
    private var fresh: Deque<WeakBlock> = []
    /// Those that it was, the last ones last: it doesn't let go of what is in use.
    private var notified: Deque<WeakBlock> = []
    private var cleaningCount = Self.cleaningCountMin

    mutating func add(_ blocks: [EntryBlock]) {
        for block in blocks { fresh.append(WeakBlock(block: block)) }
        guard fresh.count + notified.count >= cleaningCount else { return }
        fresh.removeAll { $0.block == nil }
        notified.removeAll { $0.block == nil }
        cleaningCount = max(Self.cleaningCountMin, (fresh.count + notified.count) * 2)
    }

    /// The blocks to ask the kernel about next: fresh ones that take so many bytes, or as many as there are, and some others.
    ///
    /// - Returns: The blocks, and how many bytes the fresh ones of them take.
    mutating func next(byteCount: Int) -> (blocks: [WeakBlock], freshByteCount: Int) {
        var found: [WeakBlock] = []
        var freshByteCount = 0
        for _ in 0..<min(notified.count, Self.notifiedScanCountMax) {
            let entry = notified.removeFirst()
            if entry.block != nil { found.append(entry) }
        }
        for _ in 0..<min(fresh.count, Self.scanCountMax) where freshByteCount < byteCount {
            let entry = fresh.removeFirst()
            guard let block = entry.block else { continue }
            freshByteCount += block.byteCount
            found.append(entry)
        }
        notified += found
        return (found, freshByteCount)
    }
}
