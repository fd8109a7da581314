import ObjectStore

/// Consecutive entries of a block.
struct EntrySlice: Sendable {
    let block: EntryBlock
    /// Indices in the block.
    let range: Range<Int>

    /// The number of entries.
    var count: Int { range.count }
    /// `true` if there are none.
    var isEmpty: Bool { range.isEmpty }

    /// The entries of `block` with sort keys in `interval`.
    init(_ block: EntryBlock, in interval: KeyInterval) {
        let start = block.firstIndex(notBefore: interval.lower.bytes)
        let end = interval.upper.map { block.firstIndex(notBefore: $0.bytes) } ?? block.count
        self.init(block: block, range: start..<max(start, end))
    }

    init(block: EntryBlock, range: Range<Int>) {
        self.block = block
        self.range = range
    }

    /// Returns the index, in the block, of the entry with `sortKey`.
    func index(of sortKey: [UInt8]) -> Int? {
        block.index(of: sortKey).flatMap { range.contains($0) ? $0 : nil }
    }

    /// Returns the entries before `index`, an index of the block.
    func prefix(upTo index: Int) -> EntrySlice {
        EntrySlice(block: block, range: range.lowerBound..<min(max(index, range.lowerBound), range.upperBound))
    }

    /// Returns the entries from `index` on, an index of the block.
    func suffix(from index: Int) -> EntrySlice {
        EntrySlice(block: block, range: min(max(index, range.lowerBound), range.upperBound)..<range.upperBound)
    }

    /// Returns `true` if the first entry is at or before `sortKey`.
    func begins(notAfter sortKey: [UInt8]) -> Bool {
        sortKey.withUnsafeBytes { sortKey in
            block.withSortKey(range.lowerBound) { !sortKey.precedes($0) }
        }
    }
}
