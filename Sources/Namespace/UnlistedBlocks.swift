import DequeModule

/// Blocks of listings that were replaced after they expired, or dropped to free memory. Most are freed as well. The
/// others are held by a reader of the listing, or by the kernel's inodes.
struct UnlistedBlocks {
    /// A block, as long as something else holds it.
    struct WeakBlock: Sendable {
        fileprivate(set) weak var block: EntryBlock?
    }

    /// The most blocks to examine at once, so that no caller waits long.
    private static let scanCountMax = 256
    /// The most blocks to examine again that the kernel was notified of before.
    private static let notifiedScanCountMax = 16
    /// The number of blocks below which freed ones needn't be removed.
    private static let cleaningCountMin = 1_024

    /// Blocks that the kernel wasn't notified of.
    private var fresh: Deque<WeakBlock> = []
    /// Blocks that it was notified of, in order: it doesn't forget inodes in use.
    private var notified: Deque<WeakBlock> = []
    private var cleaningCount = Self.cleaningCountMin

    mutating func add(_ blocks: [EntryBlock]) {
        for block in blocks { fresh.append(WeakBlock(block: block)) }
        guard fresh.count + notified.count >= cleaningCount else { return }
        fresh.removeAll { $0.block == nil }
        notified.removeAll { $0.block == nil }
        cleaningCount = max(Self.cleaningCountMin, (fresh.count + notified.count) * 2)
    }

    /// Returns the next blocks to notify the kernel of: new ones until these have `byteCount` bytes, and some that it
    /// was notified of before.
    ///
    /// - Returns: The blocks, and the bytes of the new ones.
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
