import BlockCache
import DequeModule
import ObjectStore

/// The parts in flight: how they begin, what comes of them, and how they end.
extension ObjectReads.State {
    /// Parts with as much left as this, or less, are received to the end even if nobody wants them: a cancelled request
    /// costs its connection, and a handshake takes longer than this. It also serves tools that open a file several times in
    /// a row (nibabel).
    private static let drainedByteCountMax = 1 << 20

    /// The block that bytes of a part belong in; `nil` if the part has been given up or has no use for these bytes.
    mutating func destination(of range: Range<Int>, part number: UInt64) -> (Block?, Errands) {
        guard let part = parts.first(where: { $0.number == number }) else { return (nil, Errands()) }
        guard part.received == range.lowerBound, range.upperBound <= part.range.upperBound else {
            let error = StoreError(
                .malformedResponse, "bytes came that were not asked for (at offset \(range.lowerBound))")
            return (nil, finish(part: number, .failure(error)))
        }
        return (part.block(at: range.lowerBound / Block.byteCount), Errands())
    }

    /// The bytes of a part up to `end` have come, and are in its blocks.
    ///
    /// - Parameter block: The one that the last of them are in, if it is to be let go of.
    mutating func receive(upTo end: Int, part number: UInt64, filling block: Block? = nil) -> Errands {
        var errands = Errands()
        guard let index = parts.firstIndex(where: { $0.number == number }) else {
            // Given up meanwhile; the block may be held by nobody but the receiving thread.
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

    /// One of the parts that a read is parked on has all the bytes that it needs.
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

    /// The disk has given what it has of a part, up to `end`: the store is asked for the rest.
    mutating func finishLoading(upTo end: Int, part number: UInt64) -> Errands {
        guard let index = parts.firstIndex(where: { $0.number == number }) else { return Errands() }
        if parts[index].remaining.isEmpty { return finish(part: number, .success(())) }
        var errands = Errands()
        parts[index].source = .store
        for block in parts[index].blocks { block.begin(from: .store) }
        errands.started.append((number, parts[index].remaining))
        return errands
    }

    /// A part has ended. If bytes of it have not come, the reads that wait for them fail; what came stays usable.
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

    /// Whether somebody waits for bytes of a part who reads them.
    func isAwaited(part number: UInt64) -> Bool {
        parts.contains { $0.number == number && $0.waiting.contains { !$0.isForDisk } }
    }

    /// Keeps what a part can be cancelled with.
    ///
    /// - Returns: Whether the part is still wanted.
    mutating func attach(_ request: any StoreRequest, to number: UInt64) -> Bool {
        guard let index = parts.firstIndex(where: { $0.number == number }) else { return false }
        parts[index].request = request
        return true
    }

    /// Who wants parts beside who reads.
    private struct PartUse {
        let isKept: Bool
        let isForDisk: Bool
    }

    /// Starts parts that fill `fresh`, blocks with their index.
    ///
    /// - Parameters:
    ///   - partByteCount: How many bytes a part has at the most.
    ///   - isKept: Whether they go on though nobody waits for them and no window wants them.
    ///   - isForDisk: Whether the caller has their blocks written to the disk.
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

    /// Starts parts that fill `blocks`, which adjoin: from the disk what it has, and from the store what is between.
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

    /// Starts a part that fills `blocks`, if there are any.
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

    /// Fetches the whole object for somebody who may read it soon, if memory can be spared for what of it isn't at hand.
    mutating func prefetchWhole() -> Errands {
        var errands = Errands()
        let indices = Block.indices(covering: 0..<object.byteCount)
        // What the disk has is at hand as fast as anybody can ask for it, or read by the kernel itself.
        let onDisk = disk?.present(among: indices) ?? []
        let wanted = missing(among: indices).filter { index in !onDisk.contains { $0.contains(index) } }
        let memory = cache.takeAhead(wanted.count)
        if memory.count == wanted.count {
            start(Array(zip(wanted, memory)), isKept: true, &errands)
        } else {
            errands.release(memory)
        }
        return errands
    }

    /// The blocks that are neither cached nor in flight.
    private func missing(among indices: Range<Int>) -> [Int] {
        cache.missing(of: id, among: indices).filter { index in !parts.contains { $0.block(at: index) != nil } }
    }

    /// What is to be fetched ahead of a read.
    struct ReadAhead {
        /// Blocks, with their index.
        var fresh: [(index: Int, block: Block)] = []
        /// How many bytes one part of them has at the most.
        var partByteCount = ReadWindows.partByteCount
        /// Whether parts may have become useless.
        let gaveUpWindow: Bool
    }

    /// Takes note of a read, and takes memory for what its window lacks.
    ///
    /// - Parameters:
    ///   - demanded: Indices of the read's own blocks that are about to be fetched.
    ///   - isWaiting: Whether the read can't be answered from what has come.
    mutating func readAhead(of range: Range<Int>, missing demanded: [Int], isWaiting: Bool) -> ReadAhead {
        let firstMissing = demanded.first.map { max(range.lowerBound, $0 * Block.byteCount) }
        let (advice, gaveUpWindow) = windows.note(range, firstMissing: firstMissing, isWaiting: isWaiting) {
            [cache, id] in cache.aheadShare(of: id)
        }
        guard let advice else { return ReadAhead(gaveUpWindow: gaveUpWindow) }
        let wanted = advice.ranges.flatMap { missing(among: Block.indices(covering: $0)) }
            .filter { !demanded.contains($0) }
        let memory = cache.takeAhead(wanted.count)
        windows.advance(advice, firstRefused: memory.count < wanted.count ? wanted[memory.count] : nil)
        return ReadAhead(
            fresh: Array(zip(wanted, memory)), partByteCount: advice.partByteCount, gaveUpWindow: gaveUpWindow)
    }

    /// Cancels the parts that no read and no window wants any more, but for those that are nearly there.
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
