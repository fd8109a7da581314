import BlockCache
import DequeModule
import ObjectStore

extension ObjectReads {
    /// A read that has not ended.
    struct PendingRead {
        /// What it waits for.
        enum Stage {
            /// In the cache's queue. Holds no block.
            case waitingForMemory(MemoryTicket, until: ContinuousClock.Instant)
            /// It has all its blocks, some of which `partCount` parts have yet to fill.
            case parked([Block], partCount: Int)
        }

        let range: Range<Int>
        let completion: ReadCompletion
        var stage: Stage
    }

    /// What is known of the object's reading, and all decisions about it. Touches the cache, but calls nobody else.
    ///
    /// Invariants: a block is in at most one of the parts, and is not cached then; a parked read is in `waiting` of exactly
    /// `partCount` parts; a read in `reads` has not been completed.
    struct State {
        /// Parts with as much left as this, or less, are received to the end even if nobody wants them: a cancelled
        /// request costs its connection, and a handshake takes longer than this. It also serves tools that open a file
        /// several times in a row (nibabel).
        static let drainedByteCountMax = 1 << 20

        let id: ObjectID
        private let object: ObjectVersion
        private let cache: BlockCache
        private let readTimeout: Duration
        var handleCount = 0
        private var windows: ReadWindows
        // Searched from front to back: a few dozen at the most, one behind the other in memory.
        private var parts: [Part] = []
        private var reads: [UInt64: PendingRead] = [:]
        private var nextNumber: UInt64 = 0

        init(object: ObjectVersion, id: ObjectID, cache: BlockCache, readTimeout: Duration) {
            self.object = object
            self.id = id
            self.cache = cache
            self.readTimeout = readTimeout
            windows = ReadWindows(objectByteCount: object.byteCount)
        }

        var isIdle: Bool { handleCount == 0 && parts.isEmpty && reads.isEmpty }
    }
}

// MARK: Reads

extension ObjectReads.State {
    /// Where the blocks of a read are.
    private struct Located {
        var blocks: [Block?]
        /// Indices of the blocks that are neither cached nor in flight.
        var missing: [Int] = []
        /// Whether bytes of the read are in flight and have not come.
        var isWaiting = false

        /// The blocks, if the read can be answered from them.
        var atHand: [Block]? { missing.isEmpty && !isWaiting ? blocks.compactMap(\.self) : nil }
    }

    mutating func readAvailable(_ range: Range<Int>) -> (ReadBytes?, Errands) {
        var errands = Errands()
        let located = locate(range)
        guard let blocks = located.atHand else {
            errands.release(located.blocks.compactMap(\.self))
            return (nil, errands)
        }
        let (ahead, gaveUpWindow) = readAhead(of: range, missing: [])
        start(ahead, &errands)
        if gaveUpWindow { giveUpUselessParts(&errands) }
        return (bytes(range, in: blocks), errands)
    }

    mutating func read(
        _ range: Range<Int>, _ completion: @escaping ReadCompletion, of owner: ObjectReads
    ) -> (number: UInt64, Errands) {
        var errands = Errands()
        let number = takeNumber()
        let located = locate(range)
        if let memory = located.missing.isEmpty ? [] : cache.take(located.missing.count) {
            settle(range, completion, located, memory: memory, read: number, &errands)
            return (number, errands)
        }
        // It must hold nothing while it waits, and asks for all it may need when its turn comes: by then the blocks that
        // are at hand now may be evicted.
        errands.release(located.blocks.compactMap(\.self))
        let ticket = cache.wait(for: located.blocks.count) { owner.resume(read: number, with: $0) }
        reads[number] = ObjectReads.PendingRead(
            range: range, completion: completion,
            stage: .waitingForMemory(ticket, until: .now + readTimeout))
        return (number, errands)
    }

    /// Memory for all blocks of a read has come.
    mutating func resume(read number: UInt64, with memory: [Block]) -> Errands {
        var errands = Errands()
        guard let read = reads.removeValue(forKey: number), case .waitingForMemory(_, let deadline) = read.stage else {
            errands.release(memory)
            return errands
        }
        errands.mayBeIdle = true
        guard ContinuousClock.now < deadline else {
            errands.release(memory)
            let error = StoreError(.timedOut, "no memory was free for the read before its deadline")
            errands.completed.append((read.completion, .failure(error)))
            return errands
        }
        settle(read.range, read.completion, locate(read.range), memory: memory, read: number, &errands)
        return errands
    }

    mutating func cancel(read number: UInt64) -> Errands {
        var errands = Errands()
        guard let read = reads.removeValue(forKey: number) else { return errands }
        errands.mayBeIdle = true
        unpark(number)
        release(read, &errands)
        giveUpUselessParts(&errands)
        return errands
    }

    mutating func close() -> Errands {
        var errands = Errands()
        handleCount -= 1
        guard handleCount == 0 else { return errands }
        errands.mayBeIdle = true
        windows.removeAll()
        giveUpUselessParts(&errands)
        return errands
    }

    /// Answers a read, or parks it on the parts that will; those that are missing are started, in `memory`.
    private mutating func settle(
        _ range: Range<Int>, _ completion: @escaping ReadCompletion, _ located: Located, memory: [Block],
        read number: UInt64, _ errands: inout Errands
    ) {
        var fresh = Dictionary(uniqueKeysWithValues: zip(located.missing, memory))
        errands.release(memory.dropFirst(located.missing.count))
        let firstIndex = range.lowerBound / Block.byteCount
        let blocks = located.blocks.enumerated().compactMap { $1 ?? fresh[firstIndex + $0] }
        let (ahead, gaveUpWindow) = readAhead(of: range, missing: located.missing)
        fresh.merge(ahead) { demanded, _ in demanded }
        start(fresh, &errands)
        let partCount = park(number, on: range)
        // Only now: before it was parked, a part that this read needs may have looked as if nobody wanted it.
        if gaveUpWindow { giveUpUselessParts(&errands) }
        if partCount == 0 {
            errands.completed.append((completion, .success(bytes(range, in: blocks))))
        } else {
            reads[number] = ObjectReads.PendingRead(
                range: range, completion: completion, stage: .parked(blocks, partCount: partCount))
        }
    }

    /// The bytes of a read, in the blocks that it lies in.
    private func bytes(_ range: Range<Int>, in blocks: [Block]) -> ReadBytes {
        let isToEnd = range.upperBound == object.byteCount
        let end = isToEnd ? Block.indices(covering: range).upperBound : range.upperBound / Block.byteCount
        let consumed = min(range.lowerBound / Block.byteCount, end)..<end
        return ReadBytes(range, in: BlockLease(blocks, of: id, consumed: consumed, from: cache))
    }

    private func locate(_ range: Range<Int>) -> Located {
        let indices = Block.indices(covering: range)
        var located = Located(blocks: cache.blocks(of: id, at: indices))
        for (position, index) in indices.enumerated() where located.blocks[position] == nil {
            guard let part = parts.first(where: { $0.block(at: index) != nil }) else {
                located.missing.append(index)
                continue
            }
            located.blocks[position] = part.block(at: index)
            let needed = min(range.upperBound, (index + 1) * Block.byteCount)
            located.isWaiting = located.isWaiting || part.received < needed
        }
        return located
    }

    /// Puts a read on the lists of the parts that it needs bytes of.
    ///
    /// - Returns: How many they are.
    private mutating func park(_ number: UInt64, on range: Range<Int>) -> Int {
        var partCount = 0
        for index in parts.indices {
            let needed = min(range.upperBound, parts[index].range.upperBound)
            // What the part has completed is not its business any more; it may even be in flight again.
            guard parts[index].received < needed, range.lowerBound < needed else { continue }
            parts[index].waiting.append(Part.Waiting(read: number, end: needed))
            partCount += 1
        }
        return partCount
    }

    /// Takes a read off the lists of all parts.
    private mutating func unpark(_ number: UInt64) {
        for index in parts.indices {
            parts[index].waiting.removeAll { $0.read == number }
        }
    }

    private func release(_ read: ObjectReads.PendingRead, _ errands: inout Errands) {
        switch read.stage {
        case .waitingForMemory(let ticket, _):
            cache.stopWaiting(ticket)
            errands.letsGoOfMemory = true
        case .parked(let blocks, _):
            errands.release(blocks)
        }
    }

    private mutating func takeNumber() -> UInt64 {
        nextNumber += 1
        return nextNumber
    }
}

// MARK: Parts

extension ObjectReads.State {
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

    /// The bytes of a part up to `end` have come, and are in `block`.
    mutating func receive(upTo end: Int, part number: UInt64, filling block: Block) -> Errands {
        var errands = Errands()
        guard let index = parts.firstIndex(where: { $0.number == number }) else {
            // Given up meanwhile; the block may be held by nobody but the receiving thread.
            errands.release([block])
            return errands
        }
        for (blockIndex, block) in parts[index].receive(upTo: end) {
            cache.insert(block, of: id, at: blockIndex)
            errands.letsGoOfMemory = true
        }
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
        errands.completed.append((read.completion, .success(bytes(read.range, in: blocks))))
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
        }
        for waiting in part.waiting {
            guard let read = reads.removeValue(forKey: waiting.read) else { continue }
            unpark(waiting.read)
            release(read, &errands)
            errands.completed.append((read.completion, .failure(error)))
        }
        return errands
    }

    /// Keeps what a part can be cancelled with.
    ///
    /// - Returns: Whether the part is still wanted.
    mutating func attach(_ request: any StoreRequest, to number: UInt64) -> Bool {
        guard let index = parts.firstIndex(where: { $0.number == number }) else { return false }
        parts[index].request = request
        return true
    }

    /// Starts parts that fill `fresh`, blocks by their index: one part for blocks that adjoin each other.
    private mutating func start(_ fresh: [Int: Block], _ errands: inout Errands) {
        let blockCountMax = ReadWindows.partByteCount / Block.byteCount
        var blocks: Deque<Block> = []
        let indices = fresh.keys.sorted()
        for (position, index) in indices.enumerated() {
            if let block = fresh[index] { blocks.append(block) }
            let isLast = position + 1 == indices.count || indices[position + 1] != index + 1
            guard isLast || blocks.count == blockCountMax else { continue }
            let part = Part(
                number: takeNumber(), blocks: blocks, firstBlockIndex: index + 1 - blocks.count,
                objectByteCount: object.byteCount)
            parts.append(part)
            errands.started.append((part.number, part.range))
            blocks = []
        }
    }

    /// Takes note of a read, and takes memory for what its window lacks.
    ///
    /// - Parameter missing: Indices of the read's own blocks that are about to be fetched.
    /// - Returns: Blocks to fetch, by their index, and whether parts may have become useless.
    private mutating func readAhead(of range: Range<Int>, missing: [Int]) -> ([Int: Block], gaveUpWindow: Bool) {
        let firstMissing = missing.first.map { max(range.lowerBound, $0 * Block.byteCount) }
        let (advice, gaveUpWindow) = windows.note(range, firstMissing: firstMissing) { cache.aheadShare(of: id) }
        guard let advice else { return ([:], gaveUpWindow) }
        let wanted = cache.missing(of: id, among: Block.indices(covering: advice.ahead)).filter { index in
            !missing.contains(index) && !parts.contains { $0.block(at: index) != nil }
        }
        let memory = cache.takeAhead(wanted.count)
        let isGranted = memory.count == wanted.count
        windows.advance(advice, to: isGranted ? advice.ahead.upperBound : wanted[memory.count] * Block.byteCount)
        return (Dictionary(uniqueKeysWithValues: zip(wanted, memory)), gaveUpWindow)
    }

    /// Cancels the parts that no read and no window wants any more, but for those that are nearly there.
    private mutating func giveUpUselessParts(_ errands: inout Errands) {
        for part in parts where part.waiting.isEmpty && !windows.want(part.remaining) {
            let hasBegun = part.received > part.range.lowerBound
            if hasBegun && part.remaining.count <= Self.drainedByteCountMax { continue }
            parts.removeAll { $0.number == part.number }
            if let request = part.request { errands.cancelled.append(request) }
            errands.release(part.blocks)
            errands.mayBeIdle = true
        }
    }
}
