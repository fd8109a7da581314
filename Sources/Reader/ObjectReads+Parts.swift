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
    mutating func destination(of range: Range<Int>, part number: UInt64) -> (Block?, Errands) {
        guard let part = parts.first(where: { $0.number == number }) else { return (nil, Errands()) }
        guard part.received == range.lowerBound, range.upperBound <= part.range.upperBound else {
            let error = StoreError(
                .malformedResponse, "bytes came that were not asked for (at offset \(range.lowerBound))")
            return (nil, finish(part: number, .failure(error)))
        }
        return (part.block(at: range.lowerBound / Block.byteCount), Errands())
    }

    /// Records that the bytes of a part up to `end` are in its blocks.
    ///
    /// - Parameter block: The block of the last of these bytes, if the caller's reference is to be released.
    mutating func receive(upTo end: Int, part number: UInt64, filling block: Block? = nil) -> Errands {
        var errands = Errands()
        guard let index = parts.firstIndex(where: { $0.number == number }) else {
            // The part was given up meanwhile; the receiving thread may hold the last reference to the block.
            errands.release([block].compactMap(\.self))
            return errands
        }
        let complete = parts[index].receive(upTo: end)
        for (blockIndex, block) in complete {
            cache.insert(block, of: id, at: blockIndex)
            errands.letsGoOfMemory = true
        }
        if disk != nil, parts[index].source == .store, !parts[index].isForDisk { errands.stored = complete }
        let served = parts[index].waiting.filter { $0.end <= end }
        parts[index].waiting.removeAll { $0.end <= end }
        for waiting in served { notePartReceived(for: waiting.read, &errands) }
        return errands
    }

    /// Records that one of the parts that a read is parked on has received all bytes that the read needs.
    private mutating func notePartReceived(for number: UInt64, _ errands: inout Errands) {
        guard let read = reads[number], case .parked(let blocks, let partCount) = read.stage else { return }
        guard partCount == 1 else {
            reads[number]?.stage = .parked(blocks, partCount: partCount - 1)
            return
        }
        reads[number] = nil
        errands.mayBeIdle = true
        let bytes = bytes(read.range, in: blocks, isForDisk: read.isForDisk)
        errands.completed.append((read.completion, .success(bytes)))
    }

    /// Ends the disk phase of a part, whose bytes up to `end` were on the disk, and requests the rest from the store.
    mutating func finishLoading(upTo end: Int, part number: UInt64) -> Errands {
        guard let index = parts.firstIndex(where: { $0.number == number }) else { return Errands() }
        if parts[index].remaining.isEmpty { return finish(part: number, .success(())) }
        var errands = Errands()
        parts[index].source = .store
        for block in parts[index].blocks { block.begin(from: .store) }
        errands.started.append((number, parts[index].remaining))
        return errands
    }

    /// Ends a part. Reads that wait for missing bytes fail; received bytes stay usable.
    mutating func finish(part number: UInt64, _ result: Result<Void, StoreError>) -> Errands {
        var errands = Errands()
        guard let index = parts.firstIndex(where: { $0.number == number }) else { return errands }
        let part = parts.remove(at: index)
        errands.mayBeIdle = true
        errands.release(part.blocks)
        let error: StoreError
        switch result {
        case .success:
            error = StoreError(.malformedResponse, "\(part.remaining.count) of \(part.range.count) bytes did not come")
        case .failure(let failure):
            error = failure
            if part.waiting.contains(where: { !$0.isForDisk }) {
                recentFailure = RecentFailure(
                    error, range: part.remaining, start: part.startInstant, now: .now, readTimeout: readTimeout)
            }
        }
        for waiting in part.waiting {
            guard let read = reads.removeValue(forKey: waiting.read) else { continue }
            unpark(waiting.read)
            if read.isForDisk { leaveToWriter(read, &errands) } else { meter.noteFailure() }
            release(read, &errands)
            errands.completed.append((read.completion, .failure(error)))
        }
        return errands
    }

    /// Returns `true` if a read, not only a fetch to the disk, waits for bytes of a part.
    func isAwaited(part number: UInt64) -> Bool {
        parts.contains { $0.number == number && $0.waiting.contains { !$0.isForDisk } }
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
        let isKept: Bool
        let isForDisk: Bool
    }

    /// Starts parts that fill `fresh`, blocks with their index.
    ///
    /// - Parameters:
    ///   - partByteCount: The most bytes of a part.
    ///   - isKept: Keeps the parts running even if no read waits for them and no window includes them.
    ///   - isForDisk: The caller has the blocks written to the disk.
    mutating func start(
        _ fresh: [(index: Int, block: Block)], partByteCount: Int = ReadWindows.partByteCount, isKept: Bool = false,
        isForDisk: Bool = false, _ errands: inout Errands
    ) {
        let use = PartUse(isKept: isKept, isForDisk: isForDisk)
        let blockCountMax = partByteCount / Block.byteCount
        let sorted = fresh.sorted { $0.index < $1.index }
        var first = 0
        for position in sorted.indices {
            let isLast = position + 1 == sorted.count || sorted[position + 1].index != sorted[position].index + 1
            guard isLast || position + 1 - first == blockCountMax else { continue }
            start(sorted[first...position].map(\.block), from: sorted[first].index, use, &errands)
            first = position + 1
        }
    }

    /// Starts parts that fill `blocks`, which are contiguous: from the disk where it has the bytes, otherwise from the
    /// store.
    private mutating func start(
        _ blocks: [Block], from firstIndex: Int, _ use: PartUse, _ errands: inout Errands
    ) {
        let indices = firstIndex..<firstIndex + blocks.count
        var next = firstIndex
        for run in disk?.present(among: indices) ?? [] {
            start(.store, blocks[next - firstIndex..<run.lowerBound - firstIndex], from: next, use, &errands)
            start(
                .disk, blocks[run.lowerBound - firstIndex..<run.upperBound - firstIndex], from: run.lowerBound, use,
                &errands)
            next = run.upperBound
        }
        start(.store, blocks[(next - firstIndex)...], from: next, use, &errands)
    }

    /// Starts a part that fills `blocks`, unless there are none.
    private mutating func start(
        _ source: Part.Source, _ blocks: ArraySlice<Block>, from firstIndex: Int, _ use: PartUse,
        _ errands: inout Errands
    ) {
        if blocks.isEmpty { return }
        for block in blocks { block.begin(from: source.origin) }
        let part = Part(
            number: takeNumber(), source: source, blocks: Deque(blocks), firstBlockIndex: firstIndex,
            objectByteCount: object.byteCount, isKept: use.isKept, isForDisk: use.isForDisk)
        parts.append(part)
        switch source {
        case .store: errands.started.append((part.number, part.range))
        case .disk: errands.loaded.append((part.number, Array(blocks), firstIndex))
        }
    }

    /// Prefetches the whole object if memory can be spared for its missing bytes.
    mutating func prefetchWhole() -> Errands {
        var errands = Errands()
        let indices = Block.indices(covering: 0..<object.byteCount)
        // Bytes on the disk are available as fast as an application can request them, or are read by the kernel
        // directly.
        let onDisk = disk?.present(among: indices) ?? []
        let wanted = missing(among: indices).filter { index in !onDisk.contains { $0.contains(index) } }
        let memory = cache.takeForPrefetch(wanted.count)
        if memory.count == wanted.count {
            start(Array(zip(wanted, memory)), isKept: true, &errands)
        } else {
            errands.release(memory)
        }
        return errands
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
        let wanted = advice.ranges.flatMap { missing(among: Block.indices(covering: $0)) }
            .filter { !demanded.contains($0) }
        let memory = cache.takeForPrefetch(wanted.count)
        windows.advance(advice, firstRefused: memory.count < wanted.count ? wanted[memory.count] : nil)
        return ReadAhead(
            fresh: Array(zip(wanted, memory)), partByteCount: advice.partByteCount, gaveUpWindow: gaveUpWindow)
    }

    /// Cancels the parts that no read and no window needs, except those that are nearly complete.
    mutating func giveUpUselessParts(_ errands: inout Errands) {
        for part in parts where part.waiting.isEmpty && !part.isKept && !windows.want(part.remaining) {
            if part.hasBegun && part.remaining.count <= Self.drainedByteCountMax { continue }
            parts.removeAll { $0.number == part.number }
            if let request = part.request { errands.cancelled.append(request) }
            errands.release(part.blocks)
            errands.mayBeIdle = true
        }
    }
}
