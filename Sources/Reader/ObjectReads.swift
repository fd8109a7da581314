import BlockCache
import ObjectStore
import Synchronization

/// The reading of one object version, shared by all handles that have it open: what is in flight, who waits for it, and
/// what to read ahead.
///
/// `State` decides, under the lock; this class does what was decided, under no lock (`Errands`): it asks the store, cancels
/// requests, calls completions, and lets go of memory. So the store may deliver on the calling thread, before `get` has
/// returned, and a completion may read again.
///
/// What the one lock prevents:
/// - Two readers both find a block neither cached nor in flight, and both fetch it. Looking, taking memory and listing the
///   part as in flight are one step.
/// - A block leaves the part, and isn't in the cache yet when a reader looks there. Moving it is one step.
/// - A read finds that its bytes have not come, they come, and then the read is parked, for ever. Looking and parking are
///   one step, and so are noting how far a part has come and picking the reads which that completes.
/// - A part is given up since nobody waits for it, and a read parks on it meanwhile. Giving up takes the part off the list,
///   and in the same step nobody waits for it; what it still receives is ignored.
/// - A read is completed by its last part, cancelled, and failed by another part, all at once. It leaves `reads` once, and
///   who took it out of there completes it, or doesn't.
///
/// Bytes are copied outside the lock. That is safe, since a part has one receiver, which is called by one thread at a time,
/// and nobody looks at bytes behind `received`.
final class ObjectReads: Sendable {
    /// Which bytes these are.
    let object: ObjectVersion
    /// What the disk cache has of it; `nil` where there is no disk cache, or nothing to keep.
    let disk: DiskObject?

    private let reader: Reader
    private let state: Mutex<State>

    /// The reading of `object`, not yet open.
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

    /// This, with one handle more.
    func opened() -> ObjectReads {
        state.withLock { $0.handleCount += 1 }
        return self
    }

    /// One handle less. What the last one leaves in flight is cancelled, where that is worth it.
    func close() {
        run(state.withLock { $0.close() })
    }

    /// Whether nobody has the object open, and nothing of it is in flight.
    var isIdle: Bool {
        state.withLock { $0.isIdle }
    }

    /// The number by which the cache knows the object.
    var id: ObjectID {
        state.withLock { $0.id }
    }

    // MARK: Reads

    /// See `ObjectReader.readAvailable`.
    func readAvailable(_ range: Range<Int>) -> ReadBytes? {
        let (bytes, errands) = state.withLock { $0.readAvailable(range) }
        run(errands)
        return bytes
    }

    /// See `ObjectReader.read`.
    func read(_ range: Range<Int>, completion: @escaping ReadCompletion) -> ParkedRead {
        let (number, errands) = state.withLock { $0.read(range, completion, of: self) }
        run(errands)
        return ParkedRead(self, read: number)
    }

    /// Fetches adjoining blocks for the disk, with what memory reading leaves.
    ///
    /// - Parameters:
    ///   - range: Their bytes.
    ///   - completion: Called as that of `read`, with bytes from the beginning of the range on: those that there was memory for.
    /// - Returns: `nil` where there is none now. `completion` isn't called then.
    func fetch(_ range: Range<Int>, completion: @escaping ReadCompletion) -> ParkedRead? {
        let (number, errands) = state.withLock { $0.fetch(range, completion) }
        run(errands)
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

    // MARK: What the store sends

    /// Takes in bytes of a part, block by block, so that what waits for the first of them need not wait for the others.
    func receive(_ bytes: UnsafeRawBufferPointer, at offset: Int, part number: UInt64) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let position = offset + rest.startIndex
            let piece = rest.prefix(Block.byteCount - position % Block.byteCount)
            rest = rest.dropFirst(piece.count)
            run(receivePiece(UnsafeRawBufferPointer(rebasing: piece), at: position, part: number))
        }
    }

    /// Takes in bytes of one block. A function of its own, so that it has let go of the block when the errands are run.
    private func receivePiece(_ piece: UnsafeRawBufferPointer, at offset: Int, part number: UInt64) -> Errands {
        let end = offset + piece.count
        let (block, errands) = state.withLock { $0.destination(of: offset..<end, part: number) }
        guard let block else { return errands }
        block.fill(at: offset % Block.byteCount, from: piece)
        return state.withLock { $0.receive(upTo: end, part: number, filling: block) }
    }

    /// The store has nothing more to send for a part.
    func finish(part number: UInt64, _ result: Result<Void, StoreError>) {
        run(state.withLock { $0.finish(part: number, result) })
    }

    // MARK: Errands

    /// Memory has come for a read that waited for it.
    func resume(read number: UInt64, with memory: [Block]) {
        run(state.withLock { $0.resume(read: number, with: memory) })
    }

    /// Does what was decided under the lock.
    private func run(_ errands: consuming Errands) {
        for request in errands.cancelled { request.cancel() }
        for (number, range) in errands.started { get(range, part: number, readDeadline: errands.deadline) }
        for (number, blocks, firstIndex) in errands.loaded { load(blocks, from: firstIndex, part: number) }
        for (index, block) in errands.stored { disk?.store(block, at: index) }
        for (completion, result) in errands.completed { completion(result) }
        let (letsGoOfMemory, mayBeIdle) = (errands.letsGoOfMemory, errands.mayBeIdle)
        // Blocks first: `serveWaiting` can only evict what nobody holds any more.
        errands = Errands()
        if letsGoOfMemory { reader.cache.serveWaiting() }
        if mayBeIdle { reader.forgetIfIdle(self) }
    }

    private func load(_ blocks: [Block], from firstIndex: Int, part number: UInt64) {
        disk?.load(
            blocks, from: firstIndex,
            progress: { [self] range in run(state.withLock { $0.receive(upTo: range.upperBound, part: number) }) },
            completion: { [self] end in run(state.withLock { $0.finishLoading(upTo: end, part: number) }) })
    }

    /// - Parameter readDeadline: That of the read which had the part started; `nil` where it has all its time.
    private func get(_ range: Range<Int>, part number: UInt64, readDeadline: RunningClock.Instant?) {
        let isAhead = state.withLock { !$0.isAwaited(part: number) }
        // What nobody waits for yet has all the time: whoever comes to wait for it has, too.
        let deadline = (isAhead ? nil : readDeadline) ?? .now + reader.limits.readTimeout
        let request = reader.store.get(
            RangeRequest(object: object, range: range, isAhead: isAhead), deadline: deadline,
            receiver: PartReceiver(self, part: number))
        // The part may have been given up before there was anything to cancel. If it has ended, cancelling does nothing.
        if !state.withLock({ $0.attach(request, to: number) }) { request.cancel() }
    }
}
