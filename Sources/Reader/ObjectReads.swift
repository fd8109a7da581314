import BlockCache
import ObjectStore
import Synchronization
import SystemSupport

/// The reads of one object version, shared by all its open handles: the parts in flight, the reads that wait for them,
/// and the blocks to prefetch.
///
/// `State` decides under the lock; this class carries out the decisions under no lock (`DeferredEffects`): it sends and
/// cancels requests, calls completions and releases memory. So the store may deliver on the calling thread before `get`
/// returns, and a completion may read again.
///
/// The one lock prevents these orders of events:
/// - Two readers both find a block neither cached nor in flight, and both fetch it. Looking it up, taking memory and
///   listing the part as in flight are one step.
/// - A block has left its part but isn't in the cache yet when a reader looks there. Moving it is one step.
/// - A read finds its bytes missing, they arrive, and then the read is parked forever. The check and the parking are
///   one step, and so are recording a part's progress and selecting the reads that it completes.
/// - A part is given up because no read waits for it, while a read parks on it. Giving up checks for waiting reads and
///   removes the part from the list in one step; later bytes of the part are ignored.
/// - A read is completed by its last part, canceled, and failed by another part, all at once. It leaves `reads` once,
///   and the code that removes it decides whether to complete it.
///
/// Bytes are copied outside the lock. That is safe because a part has one receiver, which is called by one thread at a
/// time, and bytes behind `received` are never read.
final class ObjectReads: Sendable {
    /// The object version.
    let object: ObjectVersion
    /// The object in the disk cache; `nil` without a disk cache, or for an empty object.
    let disk: DiskObject?

    private let reader: Reader
    private let state: Mutex<State>

    /// Creates the state of `object`, without an open handle.
    init(_ object: ObjectVersion, id: ObjectID, disk: DiskObject?, reader: Reader) {
        self.object = object
        self.disk = disk
        self.reader = reader
        state = Mutex(
            State(
                object: object, id: id, cache: reader.cache, disk: disk, readTimeout: reader.limits.readTimeout,
                meter: reader.meter))
    }

    // MARK: Handles

    /// Returns this object with one more handle.
    func opened() -> ObjectReads {
        state.withLock { $0.handleCount += 1 }
        return self
    }

    /// Removes a handle. After the last one, parts in flight are canceled if that is worthwhile.
    func close() {
        run(state.withLock { $0.close() })
    }

    /// `true` if the object has no open handle and nothing in flight.
    var isIdle: Bool {
        state.withLock { $0.isIdle }
    }

    /// The object's number in the cache.
    var id: ObjectID {
        state.withLock { $0.id }
    }

    // MARK: Reads

    /// See `ObjectReader.readAvailable`.
    func readAvailable(_ range: Range<Int>) -> ReadBytes? {
        let (bytes, effects) = state.withLock { $0.readAvailable(range) }
        run(effects)
        return bytes
    }

    /// See `ObjectReader.read`.
    func read(_ range: Range<Int>, completion: @escaping ReadCompletion) -> ParkedRead {
        let (number, effects) = state.withLock { $0.read(range, completion, of: self) }
        run(effects)
        return ParkedRead(self, read: number)
    }

    /// Fetches contiguous blocks for the disk, with the memory that reads leave.
    ///
    /// - Parameters:
    ///   - range: The bytes of the blocks.
    ///   - completion: Called like that of `read`, with bytes from the beginning of the range on, as far as there was
    ///     memory.
    /// - Returns: `nil` without available memory. `completion` isn't called then.
    func fetch(_ range: Range<Int>, completion: @escaping ReadCompletion) -> ParkedRead? {
        let (number, effects) = state.withLock { $0.fetch(range, completion) }
        run(effects)
        return number.map { ParkedRead(self, read: $0) }
    }

    /// Drops a read that still waits.
    func cancel(read number: UInt64) {
        run(state.withLock { $0.cancel(read: number) })
    }

    /// See `Reader.prefetchWhole`.
    func prefetchWhole() {
        run(state.withLock { $0.prefetchWhole() })
    }

    // MARK: Responses of the store

    /// Receives bytes of a part, block by block, so that reads of the first block don't wait for the others.
    func receive(_ bytes: UnsafeRawBufferPointer, at offset: Int, part number: UInt64) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let position = offset + rest.startIndex
            let piece = rest.prefix(Block.byteCount - position % Block.byteCount)
            rest = rest.dropFirst(piece.count)
            run(receivePiece(UnsafeRawBufferPointer(rebasing: piece), at: position, part: number))
        }
    }

    /// Receives bytes of one block. A separate function, so that its reference to the block is released before the
    /// effects run.
    private func receivePiece(_ piece: UnsafeRawBufferPointer, at offset: Int, part number: UInt64) -> DeferredEffects {
        let end = offset + piece.count
        let (block, effects) = state.withLock { $0.destination(of: offset..<end, part: number) }
        guard let block else { return effects }
        block.fill(at: offset % Block.byteCount, from: piece)
        return state.withLock { $0.receive(upTo: end, part: number, filling: block) }
    }

    /// Ends a part after the store's last byte, or its error.
    func finish(part number: UInt64, _ result: Result<Void, StoreError>) {
        run(state.withLock { $0.finish(part: number, result) })
    }

    // MARK: Effects

    /// Continues a read that waited for memory.
    func resume(read number: UInt64, with memory: [Block]) {
        run(state.withLock { $0.resume(read: number, with: memory) })
    }

    /// Carries out the effects decided under the lock.
    private func run(_ effects: consuming DeferredEffects) {
        for request in effects.cancelled { request.cancel() }
        for (number, range) in effects.started { get(range, part: number, readDeadline: effects.deadline) }
        for (number, blocks, firstIndex) in effects.loaded { load(blocks, from: firstIndex, part: number) }
        for (index, block) in effects.stored { store(block, at: index) }
        for (completion, result) in effects.completed { completion(result) }
        let (letsGoOfMemory, mayBeIdle) = (effects.letsGoOfMemory, effects.mayBeIdle)
        // Blocks first: `serveWaiting` can evict only blocks without another holder.
        effects = DeferredEffects()
        if letsGoOfMemory { reader.cache.serveWaiting() }
        if mayBeIdle { reader.forgetIfIdle(self) }
    }

    private func store(_ block: Block, at index: Int) {
        guard let disk, !disk.store(block, at: index), disk.mayBeComplete else { return }
        reader.noteHole(index, of: object)
    }

    private func load(_ blocks: [Block], from firstIndex: Int, part number: UInt64) {
        disk?.load(
            blocks, from: firstIndex,
            progress: { [self] range in run(state.withLock { $0.receive(upTo: range.upperBound, part: number) }) },
            completion: { [self] end in run(state.withLock { $0.finishLoading(upTo: end, part: number) }) })
    }

    /// Requests the bytes `range` for a part.
    ///
    /// - Parameter readDeadline: The deadline of the read that started the part; `nil` for the full timeout.
    private func get(_ range: Range<Int>, part number: UInt64, readDeadline: RunningClock.Instant?) {
        let isPrefetch = state.withLock { !$0.isAwaited(part: number) }
        // A prefetch has the full timeout, and so has a read that comes to wait for it.
        let deadline = (isPrefetch ? nil : readDeadline) ?? .now + reader.limits.readTimeout
        let request = reader.store.get(
            RangeRequest(object: object, range: range, isPrefetch: isPrefetch), deadline: deadline,
            receiver: PartReceiver(self, part: number))
        // The part may have been given up before its request could be canceled. If the request has ended, canceling has
        // no effect.
        if !state.withLock({ $0.attach(request, to: number) }) { request.cancel() }
    }
}
