/// An inode that the kernel knows: which entry it is, and how often the kernel was told of it.
struct InodeRow {
    /// The block that told of it last.
    private(set) var block: EntryBlock
    /// The entry's index in the block, in the lower bits, and the lookup count in the others.
    private(set) var packed: UInt64

    private static let indexBitCount: UInt64 = 28
    /// A block of more entries can't be.
    private static let indexMax: UInt64 = (1 << indexBitCount) - 1
    /// The kernel counts to 2^64. An inode that it was told of so often that the count has no room here is never forgotten
    /// again: 68 billion times.
    static let lookupCountMax: UInt64 = .max >> indexBitCount

    /// A row of an entry that counts so many lookups.
    init(block: EntryBlock, index: Int, lookupCount: UInt64 = 0) {
        precondition(index <= Self.indexMax, "a block of too many entries")
        self.block = block
        packed = UInt64(index) | lookupCount << Self.indexBitCount
    }

    /// A row that was written down; `nil` where the block has no such entry, or there is no lookup.
    init?(block: EntryBlock, packed: UInt64) {
        self.block = block
        self.packed = packed
        if index >= block.count || lookupCount == 0 { return nil }
    }

    /// The entry's index in the block.
    var index: Int { Int(packed & Self.indexMax) }

    /// How many lookups of it the kernel hasn't forgotten.
    var lookupCount: UInt64 { packed >> Self.indexBitCount }

    /// Counts a lookup.
    mutating func countLookup() {
        if lookupCount < Self.lookupCountMax { packed += 1 << Self.indexBitCount }
    }

    /// Takes lookups back.
    mutating func forget(_ count: UInt64) {
        if lookupCount == Self.lookupCountMax { return }
        packed -= min(count, lookupCount) << Self.indexBitCount
    }
}

/// Some of the rows of an `InodeTable`: those whose ids leave the same remainder.
struct InodeRows {
    private var rows: [UInt64: InodeRow] = [:]

    /// A table that has room for so many times the rows that it has is made anew: a dictionary doesn't shrink.
    private static let spareFactorMax = 8
    /// Below as many it doesn't matter.
    private static let spareCountMin = 256

    subscript(id: UInt64) -> InodeRow? { rows[id] }

    /// All of them, with their ids.
    var all: [(id: UInt64, row: InodeRow)] { rows.map { ($0.key, $0.value) } }

    /// How many.
    var count: Int { rows.count }

    /// The memory that the rows take.
    var byteCount: Int {
        // A dictionary fills three quarters of its places, each of which has a bit that says whether it is filled.
        let placeCount = rows.capacity * 4 / 3
        return placeCount * (MemoryLayout<UInt64>.stride + MemoryLayout<InodeRow>.stride) + placeCount / 8
    }

    /// Counts a lookup of an entry, in a row of its own if there is none. Returns the row and its id: `preferred`, unless
    /// another entry has that.
    mutating func recordLookup(
        _ index: Int, of block: EntryBlock, preferring preferred: UInt64
    ) -> (id: UInt64, row: InodeRow) {
        var id = preferred
        var lookupCount: UInt64 = 0
        // As rare as a collision is, this needs an end: there can't be 2^58 rows.
        while let row = rows[id] {
            if block.isEntry(index, sameAs: row.index, of: row.block) {
                lookupCount = row.lookupCount
                break
            }
            id = Self.successor(of: id)
        }
        var row = InodeRow(block: block, index: index, lookupCount: lookupCount)
        row.countLookup()
        rows[id] = row
        return (id, row)
    }

    /// Takes in a row that was written down.
    mutating func restore(_ row: InodeRow, of id: UInt64) {
        rows[id] = row
    }

    /// Takes out a row that was taken in before.
    mutating func remove(_ id: UInt64) {
        rows[id] = nil
    }

    /// Takes lookups of an inode back. Returns its row, which is gone if no lookup is left.
    mutating func forget(_ id: UInt64, count: UInt64) -> InodeRow? {
        guard var row = rows[id] else { return nil }
        row.forget(count)
        if row.lookupCount > 0 {
            rows[id] = row
        } else {
            rows[id] = nil
            shrink()
        }
        return row
    }

    private mutating func shrink() {
        guard rows.capacity > max(rows.count * Self.spareFactorMax, Self.spareCountMin) else { return }
        var fitting: [UInt64: InodeRow] = [:]
        fitting.reserveCapacity(rows.count * 2)
        for (id, row) in rows { fitting[id] = row }
        rows = fitting
    }

    /// The id of the row for which `isWanted`, among those that prefer the same id.
    func id(preferring preferred: UInt64, where isWanted: (InodeRow) -> Bool) -> UInt64? {
        var id = preferred
        while let row = rows[id] {
            if isWanted(row) { return id }
            id = Self.successor(of: id)
        }
        return nil
    }

    /// The next id of the same remainder.
    private static func successor(of id: UInt64) -> UInt64 {
        let next = id &+ InodeTable.partCount
        return next < InodeID.firstFree ? next + InodeTable.partCount : next
    }
}
