import BlockCache
import DequeModule
import ObjectStore
import SystemSupport

extension ObjectReads {
    /// A read that has not ended.
    struct PendingRead {
        /// The stage of a waiting read.
        enum Stage {
            /// In the cache's queue. Holds no block.
            case waitingForMemory(MemoryTicket, since: RunningClock.Instant)
            /// Holds all its blocks; `partCount` parts have yet to fill some of them.
            case parked([Block], partCount: Int)
        }

        let range: Range<Int>
        let completion: ReadCompletion
        var stage: Stage
        /// `true` for a fetch to the disk, whose bytes are not returned to a reader.
        var isForDisk = false
    }

    /// The state of an object's reads, and all decisions about them. Calls the cache, but no other code.
    ///
    /// Invariants: a block is in at most one of the parts, and is not cached then; a parked read is in `waiting` of
    /// exactly `partCount` parts; a read in `reads` has not been completed.
    struct State {
        let id: ObjectID
        let object: ObjectVersion
        let cache: BlockCache
        let disk: DiskObject?
        let readTimeout: Duration
        let meter: ReadMeter
        var handleCount = 0
        var windows: ReadWindows
        // A linear search: at most a few dozen, contiguous in memory.
        var parts: [Part] = []
        var reads: [UInt64: PendingRead] = [:]
        /// The last failure of a part that a read waited for, if the read waited for long.
        var recentFailure: RecentFailure?
        private var nextNumber: UInt64 = 0

        init(
            object: ObjectVersion, id: ObjectID, cache: BlockCache, disk: DiskObject?, readTimeout: Duration,
            meter: ReadMeter
        ) {
            self.meter = meter
            self.object = object
            self.id = id
            self.cache = cache
            self.disk = disk
            self.readTimeout = readTimeout
            windows = ReadWindows(objectByteCount: object.byteCount)
        }

        var isIdle: Bool { handleCount == 0 && parts.isEmpty && reads.isEmpty }
    }
}

// MARK: Reads

extension ObjectReads.State {
    /// The locations of a read's blocks.
    struct Located {
        var blocks: [Block?]
        /// The indices of the blocks that are neither cached nor in flight.
        var missing: [Int] = []
        /// `true` if bytes of the read are in flight and have not arrived.
        var isWaiting = false

        /// The blocks, if the read can be answered from them.
        var atHand: [Block]? { missing.isEmpty && !isWaiting ? blocks.compactMap(\.self) : nil }
    }

    mutating func readAvailable(_ range: Range<Int>) -> (ReadBytes?, DeferredEffects) {
        var effects = DeferredEffects()
        let located = locate(range)
        guard let blocks = located.atHand else {
            effects.release(located.blocks.compactMap(\.self))
            return (nil, effects)
        }
        let ahead = readAhead(of: range, missing: [], isWaiting: false)
        start(ahead.fresh, partByteCount: ahead.partByteCount, &effects)
        if ahead.gaveUpWindow { giveUpUselessParts(&effects) }
        meter.noteRead()
        return (bytes(range, in: blocks), effects)
    }

    mutating func read(
        _ range: Range<Int>, _ completion: @escaping ReadCompletion, of owner: ObjectReads
    ) -> (number: UInt64, DeferredEffects) {
        var effects = DeferredEffects()
        let number = takeNumber()
        let located = locate(range)
        meter.noteRead()
        defer { if reads[number] != nil { meter.noteWait() } }
        if let failure = recentFailure, !located.missing.isEmpty, failure.answers(range, now: .now) {
            effects.release(located.blocks.compactMap(\.self))
            meter.noteFailure()
            effects.completed.append((completion, .failure(failure.error)))
            return (number, effects)
        }
        if let memory = located.missing.isEmpty ? [] : cache.take(located.missing.count) {
            settle(range, completion, located, memory: memory, read: number, &effects)
            return (number, effects)
        }
        // The read must hold no block while it waits, and requests all the memory it may need: by its turn, the blocks
        // that are available now may be evicted.
        effects.release(located.blocks.compactMap(\.self))
        let ticket = cache.wait(for: located.blocks.count) { owner.resume(read: number, with: $0) }
        reads[number] = ObjectReads.PendingRead(
            range: range, completion: completion,
            stage: .waitingForMemory(ticket, since: .now))
        return (number, effects)
    }

    /// Continues a read with memory for all its blocks.
    mutating func resume(read number: UInt64, with memory: [Block]) -> DeferredEffects {
        var effects = DeferredEffects()
        guard let read = reads.removeValue(forKey: number), case .waitingForMemory(_, let since) = read.stage else {
            effects.release(memory)
            return effects
        }
        effects.mayBeIdle = true
        // The wait counts against the read's timeout, and its requests need a part of that.
        guard RunningClock.now < since + readTimeout * 3 / 4 else {
            effects.release(memory)
            meter.noteFailure()
            let error = StoreError(.timedOut, "no memory was free for the read before its deadline")
            effects.completed.append((read.completion, .failure(error)))
            return effects
        }
        effects.deadline = since + readTimeout
        settle(read.range, read.completion, locate(read.range), memory: memory, read: number, &effects)
        return effects
    }

    mutating func cancel(read number: UInt64) -> DeferredEffects {
        var effects = DeferredEffects()
        guard let read = reads.removeValue(forKey: number) else { return effects }
        effects.dropped.append(read.completion)
        effects.mayBeIdle = true
        if !read.isForDisk { detachPartsBeingReceived(for: number) }
        unpark(number)
        if read.isForDisk { leaveToWriter(read, &effects) }
        release(read, &effects)
        giveUpUselessParts(&effects)
        return effects
    }

    /// Lets the parts that a canceled read waits for complete if some of their bytes have arrived: an interrupted
    /// application usually reads the same bytes again.
    private mutating func detachPartsBeingReceived(for number: UInt64) {
        for index in parts.indices where parts[index].waiting.contains(where: { $0.read == number }) {
            if parts[index].hasBegun { parts[index].isDetached = true }
        }
    }

    mutating func close() -> DeferredEffects {
        var effects = DeferredEffects()
        handleCount -= 1
        guard handleCount == 0 else { return effects }
        effects.mayBeIdle = true
        windows.removeAll()
        giveUpUselessParts(&effects)
        return effects
    }

    /// Answers a read, or parks it on the parts that will answer it; missing parts are started, in `memory`.
    private mutating func settle(
        _ range: Range<Int>, _ completion: @escaping ReadCompletion, _ located: Located, memory: [Block],
        read number: UInt64, _ effects: inout DeferredEffects
    ) {
        effects.release(memory.dropFirst(located.missing.count))
        var fresh = zip(located.missing, memory).makeIterator()
        let blocks = located.blocks.compactMap { $0 ?? fresh.next()?.1 }
        let isWaiting = located.isWaiting || !located.missing.isEmpty
        let ahead = readAhead(of: range, missing: located.missing, isWaiting: isWaiting)
        start(Array(zip(located.missing, memory)) + ahead.fresh, partByteCount: ahead.partByteCount, &effects)
        let partCount = park(number, on: range)
        // Only now: before the read was parked, a part that it needs could have seemed useless.
        if ahead.gaveUpWindow { giveUpUselessParts(&effects) }
        if partCount == 0 {
            effects.completed.append((completion, .success(bytes(range, in: blocks))))
        } else {
            reads[number] = ObjectReads.PendingRead(
                range: range, completion: completion, stage: .parked(blocks, partCount: partCount))
        }
    }

    /// Returns the bytes of a read, in its blocks.
    ///
    /// - Parameter isForDisk: `true` for a fetch to the disk, which is not counted as a read.
    func bytes(_ range: Range<Int>, in blocks: [Block], isForDisk: Bool = false) -> ReadBytes {
        let isToEnd = range.upperBound == object.byteCount
        let end = isToEnd ? Block.indices(covering: range).upperBound : range.upperBound / Block.byteCount
        let consumed = min(range.lowerBound / Block.byteCount, end)..<end
        if !isForDisk { meter.noteBytes(range, in: blocks) }
        return ReadBytes(range, in: BlockLease(blocks, of: id, consumed: consumed, from: cache))
    }

    func locate(_ range: Range<Int>) -> Located {
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

    /// Adds a read to the lists of the parts whose bytes it needs.
    ///
    /// - Returns: The number of those parts.
    mutating func park(_ number: UInt64, on range: Range<Int>, isForDisk: Bool = false) -> Int {
        var partCount = 0
        for index in parts.indices {
            let needed = min(range.upperBound, parts[index].range.upperBound)
            // Blocks that the part has completed no longer belong to it; they may even be in flight again.
            guard parts[index].received < needed, range.lowerBound < needed else { continue }
            parts[index].waiting.append(Part.Waiting(read: number, end: needed, isForDisk: isForDisk))
            partCount += 1
        }
        return partCount
    }

    /// Removes a read from the lists of all parts.
    mutating func unpark(_ number: UInt64) {
        for index in parts.indices {
            parts[index].waiting.removeAll { $0.read == number }
        }
    }

    func release(_ read: ObjectReads.PendingRead, _ effects: inout DeferredEffects) {
        switch read.stage {
        case .waitingForMemory(let ticket, _):
            cache.stopWaiting(ticket)
            effects.letsGoOfMemory = true
        case .parked(let blocks, _):
            effects.release(blocks)
        }
    }

    mutating func takeNumber() -> UInt64 {
        nextNumber += 1
        return nextNumber
    }
}
