import ObjectStore

/// Entries of a block that follow each other.
struct EntrySlice: Sendable {
    let block: EntryBlock
    /// Indices in the block.
    let range: Range<Int>

    /// How many entries.
    var count: Int { range.count }
    /// Whether there are none.
    var isEmpty: Bool { range.isEmpty }

    /// The entries of `block` whose sortKeys are in `interval`.
    init(_ block: EntryBlock, in interval: KeyInterval) {
        let start = block.firstIndex(notBefore: interval.lower.bytes)
        let end = interval.upper.map { block.firstIndex(notBefore: $0.bytes) } ?? block.count
        self.init(block: block, range: start..<max(start, end))
    }

    init(block: EntryBlock, range: Range<Int>) {
        self.block = block
        self.range = range
    }

    /// The block's index of the entry at `sortKey`.
    func index(of sortKey: [UInt8]) -> Int? {
        block.index(of: sortKey).flatMap { range.contains($0) ? $0 : nil }
    }

    /// The slice up to the entry before `index`, which is the block's.
    func prefix(upTo index: Int) -> EntrySlice {
        EntrySlice(block: block, range: range.lowerBound..<min(max(index, range.lowerBound), range.upperBound))
    }

    /// The slice from the entry `index` on, which is the block's.
    func suffix(from index: Int) -> EntrySlice {
        EntrySlice(block: block, range: min(max(index, range.lowerBound), range.upperBound)..<range.upperBound)
    }

    /// Whether the first entry stands before `sortKey`, or at it.
    func begins(notAfter sortKey: [UInt8]) -> Bool {
        sortKey.withUnsafeBytes { sortKey in
            block.withSortKey(range.lowerBound) { !sortKey.precedes($0) }
        }
    }
}
