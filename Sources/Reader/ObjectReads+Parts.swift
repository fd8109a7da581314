import BlockCache
import DequeModule
import ObjectStore
import SystemSupport

/// The parts in flight: their start, their progress and their end.
extension ObjectReads.State {
    /// A part with at most this many bytes left is received to its end even when it is no longer needed: canceling a
    /// request costs its connection, and a new handshake takes longer than these bytes. This also serves tools that
    /// open a file several times in a row (nibabel).
    private static let drainedByteCountMax = 1 << 20

    /// Returns the block for bytes of a part; `nil` if the part was given up or doesn't need these bytes.
    mutating func destination(of range: Range<Int>, part number: UInt64) -> (Block?, DeferredEffects) {
        guard let part = parts.first(where: { $0.number == number }) else { return (nil, DeferredEffects()) }
        guard part.received == range.lowerBound, range.upperBound <= part.range.upperBound else {
            let error = StoreError(
                .malformedResponse, "bytes came that were not asked for (at offset \(range.lowerBound))")
            return (nil, finish(part: number, .failure(error)))
        }
        return (part.block(at: range.lowerBound / Block.byteCount), DeferredEffects())
    }

    /// Records that the bytes of a part up to `end` are in its blocks.
    ///
    /// - Parameter block: The block of the last of these bytes, if the caller's reference is to be released.
    mutating func receive(upTo end: Int, part number: UInt64, filling block: Block? = nil) -> DeferredEffects {
        var effects = DeferredEffects()
        guard let index = parts.firstIndex(where: { $0.number == number }) else {
            // The part was given up meanwhile; the receiving thread may hold the last reference to the block.
            effects.release([block].compactMap(\.self))
            return effects
        }
        let complete = parts[index].receive(upTo: end)
        for (blockIndex, block) in complete {
            cache.insert(block, of: id, at: blockIndex)
            effects.letsGoOfMemory = true
        }
        if disk != nil, parts[index].source == .store, !parts[index].isForDisk { effects.stored = complete }
        let served = parts[index].waiting.filter { $0.end <= end }
        parts[index].waiting.removeAll { $0.end <= end }
        for waiting in served { notePartReceived(for: waiting.read, &effects) }
        return effects
    }

    /// Records that one of the parts that a read is parked on has received all bytes that the read needs.
    private mutating func notePartReceived(for number: UInt64, _ effects: inout DeferredEffects) {
        guard let read = reads[number], case .parked(let blocks, let partCount) = read.stage else { return }
        guard partCount == 1 else {
            reads[number]?.stage = .parked(blocks, partCount: partCount - 1)
            return
        }
        reads[number] = nil
        effects.mayBeIdle = true
        let bytes = bytes(read.range, in: blocks, isForDisk: read.isForDisk)
        effects.completed.append((read.completion, .success(bytes)))
    }

    /// Ends the disk phase of a part, whose bytes up to `end` were on the disk, and requests the rest from the store.
    mutating func finishLoading(upTo end: Int, part number: UInt64) -> DeferredEffects {
        guard let index = parts.firstIndex(where: { $0.number == number }) else { return DeferredEffects() }
        if parts[index].remaining.isEmpty { return finish(part: number, .success(())) }
        var effects = DeferredEffects()
        parts[index].source = .store
        for block in parts[index].blocks { block.begin(from: .store) }
        effects.started.append((number, parts[index].remaining))
        return effects
    }

    /// Ends a part. Reads that wait for missing bytes fail; received bytes stay usable.
    mutating func finish(part number: UInt64, _ result: Result<Void, StoreError>) -> DeferredEffects {
        var effects = DeferredEffects()
        guard let index = parts.firstIndex(where: { $0.number == number }) else { return effects }
        let part = parts.remove(at: index)
        effects.mayBeIdle = true
        effects.release(part.blocks)
        if case .success = result, part.remaining.isEmpty { extendWindow(after: part, &effects) }
        let error: StoreError
        switch result {
        case .success:
            error = StoreError(.malformedResponse, "\(part.remaining.count) of \(part.range.count) bytes did not come")
        case .failure(let failure):
            error = failure
            if part.isAwaited {
                recentFailure = RecentFailure(
                    error, range: part.remaining, start: part.startInstant, now: .now, readTimeout: readTimeout)
            }
        }
        for waiting in part.waiting {
            guard let read = reads.removeValue(forKey: waiting.read) else { continue }
            unpark(waiting.read)
            if read.isForDisk { leaveToWriter(read, &effects) } else { meter.noteFailure() }
            release(read, &effects)
            effects.completed.append((read.completion, .failure(error)))
        }
        return effects
    }

    /// Returns `true` if a read, not only a fetch to the disk, waits for bytes of a part.
    func isAwaited(part number: UInt64) -> Bool {
        parts.contains { $0.number == number && $0.isAwaited }
    }

    /// Stores the request of a part, for canceling it.
    ///
    /// - Returns: `false` if the part has been given up.
    mutating func attach(_ request: any StoreRequest, to number: UInt64) -> Bool {
        guard let index = parts.firstIndex(where: { $0.number == number }) else { return false }
        parts[index].request = request
        return true
    }

    /// The uses of parts apart from reads.
    private struct PartUse {
        let isDetached: Bool
        let isForDisk: Bool
    }

    /// Starts parts that fill `fresh`, blocks with their index.
    ///
    /// - Parameters:
    ///   - partByteCount: The most bytes of a part.
    ///   - isDetached: The parts continue even if no read waits for them and no window includes them.
    ///   - isForDisk: The caller has the blocks written to the disk.
    mutating func start(
        _ fresh: [(index: Int, block: Block)], partByteCount: Int = ReadWindows.partByteCount, isDetached: Bool = false,
        isForDisk: Bool = false, _ effects: inout DeferredEffects
    ) {
        let use = PartUse(isDetached: isDetached, isForDisk: isForDisk)
        let blockCountMax = partByteCount / Block.byteCount
        let sorted = fresh.sorted { $0.index < $1.index }
        var first = 0
        for position in sorted.indices {
            let isLast = position + 1 == sorted.count || sorted[position + 1].index != sorted[position].index + 1
            guard isLast || position + 1 - first == blockCountMax else { continue }
            start(sorted[first...position].map(\.block), from: sorted[first].index, use, &effects)
            first = position + 1
        }
    }

    /// Starts parts that fill `blocks`, which are contiguous: from the disk where it has the bytes, otherwise from the
    /// store.
    private mutating func start(
        _ blocks: [Block], from firstIndex: Int, _ use: PartUse, _ effects: inout DeferredEffects
    ) {
        let indices = firstIndex..<firstIndex + blocks.count
        var next = firstIndex
        for run in disk?.present(among: indices) ?? [] {
            start(.store, blocks[next - firstIndex..<run.lowerBound - firstIndex], from: next, use, &effects)
            start(
                .disk, blocks[run.lowerBound - firstIndex..<run.upperBound - firstIndex], from: run.lowerBound, use,
                &effects)
            next = run.upperBound
        }
        start(.store, blocks[(next - firstIndex)...], from: next, use, &effects)
    }

    /// Starts a part that fills `blocks`, unless there are none.
    private mutating func start(
        _ source: Part.Source, _ blocks: ArraySlice<Block>, from firstIndex: Int, _ use: PartUse,
        _ effects: inout DeferredEffects
    ) {
        if blocks.isEmpty { return }
        for block in blocks { block.begin(from: source.origin) }
        let part = Part(
            number: takeNumber(), source: source, blocks: Deque(blocks), firstBlockIndex: firstIndex,
            objectByteCount: object.byteCount, isDetached: use.isDetached, isForDisk: use.isForDisk)
        parts.append(part)
        switch source {
        case .store: effects.started.append((part.number, part.range))
        case .disk: effects.loaded.append((part.number, Array(blocks), firstIndex))
        }
    }

    /// Prefetches the whole object if memory can be spared for its missing bytes.
    mutating func prefetchWhole() -> DeferredEffects {
        var effects = DeferredEffects()
        let indices = Block.indices(covering: 0..<object.byteCount)
        // Bytes on the disk are available as fast as an application can request them, or are read by the kernel
        // directly.
        let onDisk = disk?.present(among: indices) ?? []
        let wanted = missing(among: indices).filter { index in !onDisk.contains { $0.contains(index) } }
        let memory = cache.takeForPrefetch(wanted.count)
        if memory.count == wanted.count {
            start(Array(zip(wanted, memory)), isDetached: true, &effects)
        } else {
            effects.release(memory)
        }
        return effects
    }

    /// Returns the blocks that are neither cached nor in flight.
    private func missing(among indices: Range<Int>) -> [Int] {
        cache.missing(of: id, among: indices).filter { index in !parts.contains { $0.block(at: index) != nil } }
    }

    /// The blocks to prefetch for a read.
    struct ReadAhead {
        /// The blocks, with their index.
        var fresh: [(index: Int, block: Block)] = []
        /// The most bytes of one part.
        var partByteCount = ReadWindows.partByteCount
        /// `true` if parts may have become useless.
        let gaveUpWindow: Bool
    }

    /// Records a read, and takes memory for the missing blocks of its window.
    ///
    /// - Parameters:
    ///   - demanded: The indices of the read's own blocks that are about to be fetched.
    ///   - isWaiting: `true` if the read can't be answered from received bytes.
    mutating func readAhead(of range: Range<Int>, missing demanded: [Int], isWaiting: Bool) -> ReadAhead {
        let firstMissing = demanded.first.map { max(range.lowerBound, $0 * Block.byteCount) }
        let (advice, gaveUpWindow) = windows.note(range, firstMissing: firstMissing, isWaiting: isWaiting) {
            [cache, id] in cache.prefetchBudget(of: id)
        }
        guard let advice else { return ReadAhead(gaveUpWindow: gaveUpWindow) }
        return ReadAhead(
            fresh: prefetch(advice, except: demanded), partByteCount: advice.partByteCount, gaveUpWindow: gaveUpWindow)
    }

    /// Prefetches bytes beyond the window if a part has arrived while a read waits for earlier bytes.
    private mutating func extendWindow(after part: Part, _ effects: inout DeferredEffects) {
        let awaited = parts.filter(\.isAwaited).map(\.remaining)
        let advice = windows.extend(after: part.range, awaited: awaited) { [cache, id] in cache.prefetchBudget(of: id) }
        guard let advice else { return }
        start(prefetch(advice, except: []), partByteCount: advice.partByteCount, &effects)
    }

    /// Takes memory for the missing blocks of a window.
    ///
    /// - Returns: The blocks, with their index.
    private mutating func prefetch(
        _ advice: ReadWindows.Advice, except demanded: [Int]
    ) -> [(index: Int, block: Block)] {
        let wanted = advice.ranges.flatMap { missing(among: Block.indices(covering: $0)) }
            .filter { !demanded.contains($0) }
        let memory = cache.takeForPrefetch(wanted.count)
        windows.advance(advice, firstRefused: memory.count < wanted.count ? wanted[memory.count] : nil)
        return Array(zip(wanted, memory))
    }

    /// Cancels the parts that no read and no window needs, except those that are nearly complete.
    mutating func giveUpUselessParts(_ effects: inout DeferredEffects) {
        for part in parts where part.waiting.isEmpty && !part.isDetached && !windows.want(part.remaining) {
            if part.hasBegun && part.remaining.count <= Self.drainedByteCountMax { continue }
            parts.removeAll { $0.number == part.number }
            if let request = part.request { effects.cancelled.append(request) }
            effects.release(part.blocks)
            effects.mayBeIdle = true
        }
    }
}
