import BlockCache
import ObjectStore

/// Fetches to the disk: like reads, but after all of them, without a window, and not counted.
extension ObjectReads.State {
    /// The most bytes of one request: the amount that one connection receives in a tenth of a second. A fetch to the
    /// disk doesn't need its first bytes soon, and bigger parts mean fewer requests.
    static let diskPartByteCount = 8 << 20

    /// See `ObjectReads.fetch`.
    mutating func fetch(
        _ range: Range<Int>, _ completion: @escaping ReadCompletion
    ) -> (number: UInt64?, DeferredEffects) {
        var effects = DeferredEffects()
        let located = locate(range)
        let memory = cache.takeForPrefetch(located.missing.count)
        let firstIndex = range.lowerBound / Block.byteCount
        let end = located.missing.dropFirst(memory.count).first.map { $0 * Block.byteCount } ?? range.upperBound
        guard end > range.lowerBound else {
            effects.release(located.blocks.compactMap(\.self) + memory)
            return (nil, effects)
        }
        let range = range.lowerBound..<end
        effects.release(located.blocks.dropFirst(Block.indices(covering: range).count).compactMap(\.self))
        let fresh = Array(zip(located.missing, memory))
        var blocks = Array(located.blocks.prefix(Block.indices(covering: range).count))
        for (index, block) in fresh { blocks[index - firstIndex] = block }
        start(fresh, partByteCount: Self.diskPartByteCount, isForDisk: true, &effects)
        let number = takeNumber()
        let partCount = park(number, on: range, isForDisk: true)
        let all = blocks.compactMap(\.self)
        if partCount == 0 {
            effects.mayBeIdle = true
            effects.completed.append((completion, .success(bytes(range, in: all, isForDisk: true))))
        } else {
            reads[number] = ObjectReads.PendingRead(
                range: range, completion: completion, stage: .parked(all, partCount: partCount), isForDisk: true)
        }
        return (number, effects)
    }

    /// Ends a fetch to the disk early: its received bytes are written in the background like those of reads, and so are
    /// bytes still to come.
    mutating func leaveToWriter(_ read: ObjectReads.PendingRead, _ effects: inout DeferredEffects) {
        for index in parts.indices where parts[index].range.overlaps(read.range) { parts[index].isForDisk = false }
        let indices = Block.indices(covering: read.range)
        for (index, block) in zip(indices, cache.blocks(of: id, at: indices)) {
            if let block { effects.stored.append((index, block)) }
        }
    }
}
