/// Which block of which object, as one integer: a dictionary finds an integer in a tenth of the time that a key takes.
struct BlockID: Hashable {
    /// Bits for the index of the block: 2^30 blocks are 128 TiB, and S3's biggest objects have 50 TB. The other 34 bits
    /// number more objects than a mount will ever open.
    static let indexBitCount = 30

    let rawValue: UInt64

    init(_ object: ObjectID, index: Int) {
        precondition(index >= 0 && index < 1 << BlockID.indexBitCount)
        rawValue = object.rawValue << BlockID.indexBitCount | UInt64(index)
    }

    /// The object that the block is of.
    var object: ObjectID {
        ObjectID(rawValue: rawValue >> BlockID.indexBitCount)
    }
}

/// Complete blocks by the order in which they were last used: a dictionary into an array of slots, which are linked from
/// the least to the most recently used one. Slots are reused; there are never more of them than blocks in the pool.
struct RecentBlocks {
    private struct Slot {
        var id: BlockID
        var block: Block?
        var older: Int
        var newer: Int
    }

    /// Stands for no slot.
    private static let none = -1

    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var slotOfBlock: [BlockID: Int] = [:]
    private var oldest = RecentBlocks.none
    private var newest = RecentBlocks.none

    /// How many blocks are in here.
    var count: Int { slotOfBlock.count }

    /// The block `id`, which thereby is the most recently used one.
    mutating func use(_ id: BlockID) -> Block? {
        guard let slot = slotOfBlock[id] else { return nil }
        unlink(slot)
        linkAsNewest(slot)
        return slots[slot].block
    }

    /// Adds a block, as the most recently used one.
    mutating func insert(_ block: Block, as id: BlockID) {
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            slots[slot].id = id
            slots[slot].block = block
        } else {
            slot = slots.count
            slots.append(Slot(id: id, block: block, older: RecentBlocks.none, newer: RecentBlocks.none))
        }
        let previous = slotOfBlock.updateValue(slot, forKey: id)
        precondition(previous == nil, "a block was fetched while it was cached")
        linkAsNewest(slot)
    }

    /// Takes out the least recently used block that nobody else holds.
    mutating func evictOldest() -> (id: BlockID, block: Block)? {
        var slot = oldest
        // Blocks in replies and parked reads are passed over; there are as many as requests under way, so the loop is short.
        while slot != RecentBlocks.none {
            if isKnownUniquelyReferenced(&slots[slot].block), let block = slots[slot].block.take() {
                unlink(slot)
                freeSlots.append(slot)
                let id = slots[slot].id
                slotOfBlock[id] = nil
                return (id, block)
            }
            slot = slots[slot].newer
        }
        return nil
    }

    private mutating func unlink(_ slot: Int) {
        let (older, newer) = (slots[slot].older, slots[slot].newer)
        if older == RecentBlocks.none { oldest = newer } else { slots[older].newer = newer }
        if newer == RecentBlocks.none { newest = older } else { slots[newer].older = older }
    }

    private mutating func linkAsNewest(_ slot: Int) {
        slots[slot].older = newest
        slots[slot].newer = RecentBlocks.none
        if newest == RecentBlocks.none { oldest = slot } else { slots[newest].newer = slot }
        newest = slot
    }
}
