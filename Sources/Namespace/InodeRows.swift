/// An inode that the kernel knows: a reference to its entry, and the lookup count.
struct InodeRow {
    /// The block that the inode was last found in.
    private(set) var block: EntryBlock
    /// The entry's index in the block in the lower bits, and the lookup count in the others.
    private(set) var packed: UInt64

    private static let indexBitCount: UInt64 = 28
    /// The highest index that fits. No block has more entries.
    private static let indexMax: UInt64 = (1 << indexBitCount) - 1
    /// The highest count that fits; the kernel counts to 2^64. An inode that reaches it, after 68 billion lookups, is
    /// never forgotten.
    static let lookupCountMax: UInt64 = .max >> indexBitCount

    /// A row of an entry with a lookup count.
    init(block: EntryBlock, index: Int, lookupCount: UInt64 = 0) {
        precondition(index <= Self.indexMax, "a block of too many entries")
        self.block = block
        packed = UInt64(index) | lookupCount << Self.indexBitCount
    }

    /// A row from the log; `nil` if the block has no such entry, or if the lookup count is 0.
    init?(block: EntryBlock, packed: UInt64) {
        self.block = block
        self.packed = packed
        if index >= block.count || lookupCount == 0 { return nil }
    }

    /// The entry's index in the block.
    var index: Int { Int(packed & Self.indexMax) }

    /// The lookup count: the lookups that the kernel hasn't forgotten.
    var lookupCount: UInt64 { packed >> Self.indexBitCount }

    /// Counts a lookup.
    mutating func countLookup() {
        if lookupCount < Self.lookupCountMax { packed += 1 << Self.indexBitCount }
    }

    /// Subtracts forgotten lookups.
    mutating func forget(_ count: UInt64) {
        if lookupCount == Self.lookupCountMax { return }
        packed -= min(count, lookupCount) << Self.indexBitCount
    }
}

/// The rows of an `InodeTable` whose ids leave the same remainder.
struct InodeRows {
    private var rows: [UInt64: InodeRow] = [:]

    /// A dictionary doesn't shrink. It is rebuilt when its capacity exceeds the number of rows by this factor.
    private static let spareFactorMax = 8
    /// The capacity up to which no dictionary is rebuilt.
    private static let spareCountMin = 256

    subscript(id: UInt64) -> InodeRow? { rows[id] }

    /// All rows with their ids.
    var all: [(id: UInt64, row: InodeRow)] { rows.map { ($0.key, $0.value) } }

    /// The number of rows.
    var count: Int { rows.count }

    /// The memory of the rows.
    var byteCount: Int {
        // A dictionary fills three quarters of its slots, and has one more bit for each slot.
        let placeCount = rows.capacity * 4 / 3
        return placeCount * (MemoryLayout<UInt64>.stride + MemoryLayout<InodeRow>.stride) + placeCount / 8
    }

    /// Counts a lookup of an entry; creates its row if there is none. Returns the row and its id: `preferred`, unless
    /// another entry has it.
    mutating func recordLookup(
        _ index: Int, of block: EntryBlock, preferring preferred: UInt64
    ) -> (id: UInt64, row: InodeRow) {
        var id = preferred
        var lookupCount: UInt64 = 0
        // Collisions are rare, and the loop ends: there can't be 2^58 rows.
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

    /// Adds a row from the log.
    mutating func restore(_ row: InodeRow, of id: UInt64) {
        rows[id] = row
    }

    /// Removes a row that was added before.
    mutating func remove(_ id: UInt64) {
        rows[id] = nil
    }

    /// Subtracts forgotten lookups of an inode. Returns its row, which is removed if no lookup is left.
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

    /// Returns the id of the row that satisfies `isWanted`, among those that prefer the same id.
    func id(preferring preferred: UInt64, where isWanted: (InodeRow) -> Bool) -> UInt64? {
        var id = preferred
        while let row = rows[id] {
            if isWanted(row) { return id }
            id = Self.successor(of: id)
        }
        return nil
    }

    /// Returns the next id with the same remainder.
    private static func successor(of id: UInt64) -> UInt64 {
        let next = id &+ InodeTable.partCount
        return next < InodeID.firstFree ? next + InodeTable.partCount : next
    }
}
