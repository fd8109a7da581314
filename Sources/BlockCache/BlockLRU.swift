/// The object and index of a block, as one integer: a dictionary finds an integer in a tenth of the time of a composite
/// key.
struct BlockID: Hashable {
    /// The number of bits for the index of the block: 2^30 blocks are 128 TiB, and S3's biggest objects have 50 TB. The
    /// other 34 bits number more objects than a mount will ever open.
    static let indexBitCount = 30

    let rawValue: UInt64

    init(_ object: ObjectID, index: Int) {
        precondition(index >= 0 && index < 1 << BlockID.indexBitCount)
        rawValue = object.rawValue << BlockID.indexBitCount | UInt64(index)
    }

    /// The object of the block.
    var object: ObjectID {
        ObjectID(rawValue: rawValue >> BlockID.indexBitCount)
    }
}

/// Complete blocks in the order of their last use, in two lists: *consumed* blocks, whose bytes the kernel has in its
/// page cache after a reply, and all others. A dictionary maps to an array of slots, which are linked from the least to
/// the most recently used in their list. Slots are reused; there are never more of them than blocks in the pool.
struct BlockLRU {
    private enum Use {
        /// Not read to its end yet.
        case fresh
        /// Read to its end.
        case consumed
        /// Read to its end and requested again: its reader has no page cache.
        case reused
    }

    private struct Slot {
        var id: BlockID
        var block: Block?
        var older: Int
        var newer: Int
        var use: Use
    }

    private struct List {
        var oldest = BlockLRU.none
        var newest = BlockLRU.none
        var count = 0
    }

    /// Stands for no slot.
    private static let none = -1
    /// The number of blocks in use that a search for a consumed block skips. These blocks are in replies or being
    /// written to the disk, in about the order of the list; after a few of them, other memory is cheaper.
    private static let heldCountMax = 8

    private var slots: [Slot] = []
    private var freeSlots: [Int] = []
    private var slotOfBlock: [BlockID: Int] = [:]
    private var consumed = List()
    private var others = List()

    /// The number of blocks.
    var count: Int { slotOfBlock.count }

    /// The number of consumed blocks.
    var consumedCount: Int { consumed.count }

    /// Returns the block `id` and marks it as used.
    mutating func use(_ id: BlockID) -> Block? {
        guard let slot = slotOfBlock[id] else { return nil }
        unlink(slot)
        if slots[slot].use == .consumed { slots[slot].use = .reused }
        linkAsNewest(slot)
        return slots[slot].block
    }

    /// Returns `true` if the block `id` is cached, and marks it as used by a read that follows.
    mutating func touch(_ id: BlockID) -> Bool {
        guard let slot = slotOfBlock[id] else { return false }
        unlink(slot)
        linkAsNewest(slot)
        return true
    }

    /// Records that the block `id` was read to its end by a reader whose kernel keeps the bytes.
    mutating func noteConsumed(_ id: BlockID) {
        guard let slot = slotOfBlock[id], slots[slot].use == .fresh else { return }
        unlink(slot)
        slots[slot].use = .consumed
        linkAsNewest(slot)
    }

    /// Adds a block as the most recently used one.
    mutating func insert(_ block: Block, as id: BlockID) {
        let fresh = Slot(id: id, block: block, older: BlockLRU.none, newer: BlockLRU.none, use: .fresh)
        let slot: Int
        if let free = freeSlots.popLast() {
            slot = free
            slots[slot] = fresh
        } else {
            slot = slots.count
            slots.append(fresh)
        }
        let previous = slotOfBlock.updateValue(slot, forKey: id)
        precondition(previous == nil, "a block was fetched while it was cached")
        linkAsNewest(slot)
    }

    /// Evicts the least recently used consumed block, if it is found quickly.
    mutating func evictConsumed() -> (id: BlockID, block: Block)? {
        evict(from: consumed.oldest, passingOver: BlockLRU.heldCountMax)
    }

    /// Evicts the least recently used block without another holder, a consumed one if possible.
    mutating func evictOldest() -> (id: BlockID, block: Block)? {
        evict(from: consumed.oldest, passingOver: count) ?? evict(from: others.oldest, passingOver: count)
    }

    private mutating func evict(from oldest: Int, passingOver heldCountMax: Int) -> (id: BlockID, block: Block)? {
        var slot = oldest
        var heldCount = 0
        while slot != BlockLRU.none, heldCount <= heldCountMax {
            if isKnownUniquelyReferenced(&slots[slot].block), let block = slots[slot].block.take() {
                unlink(slot)
                freeSlots.append(slot)
                let id = slots[slot].id
                slotOfBlock[id] = nil
                return (id, block)
            }
            heldCount += 1
            slot = slots[slot].newer
        }
        return nil
    }

    private mutating func unlink(_ slot: Int) {
        let (older, newer) = (slots[slot].older, slots[slot].newer)
        if newer != BlockLRU.none { slots[newer].older = older }
        if older != BlockLRU.none { slots[older].newer = newer }
        withList(of: slot) { list in
            if list.oldest == slot { list.oldest = newer }
            if list.newest == slot { list.newest = older }
            list.count -= 1
        }
    }

    private mutating func linkAsNewest(_ slot: Int) {
        var previous = BlockLRU.none
        withList(of: slot) { list in
            previous = list.newest
            if list.oldest == BlockLRU.none { list.oldest = slot }
            list.newest = slot
            list.count += 1
        }
        slots[slot].older = previous
        slots[slot].newer = BlockLRU.none
        if previous != BlockLRU.none { slots[previous].newer = slot }
    }

    private mutating func withList(of slot: Int, _ body: (inout List) -> Void) {
        if slots[slot].use == .consumed { body(&consumed) } else { body(&others) }
    }
}
