import DequeModule
import Glibc
import Synchronization
import SystemSupport

/// The thread that writes blocks to the disk, behind the readers, and the queue that leads to it.
///
/// Blocks wait a moment for their neighbours, so that several go out with one call. While the queue is less than three quarters
/// full the thread gives way to others (setpriority(2)): where all processors are busy, readers go first. If the queue fills
/// all the same, the disk is too slow, and blocks are dropped. Who waits until blocks are written sets a part of the queue aside
/// before it gets them (`WriteReservation`).
final class DiskWriter: Sendable {
    private struct Pending {
        let object: DiskObject
        var blocks: [IndexedBlock] = []
    }

    private struct Queue {
        var pending: [ObjectIdentifier: Pending] = [:]
        /// The objects with something pending, in turn.
        var turns: Deque<ObjectIdentifier> = []
        /// What is queued or being written.
        var byteCount = 0
        var awaited: Deque<Awaited> = []
        /// What is set aside for those.
        var reservedByteCount = 0
        var isRoomWanted = false
        /// What isn't written by then is dropped.
        var end: ContinuousClock.Instant?
    }

    /// Blocks that somebody waits for to be written.
    private struct Awaited {
        let object: DiskObject
        let blocks: [IndexedBlock]
        /// Held until they are written.
        let reservation: WriteReservation
        let completion: @Sendable (WriteOutcome) -> Void
    }

    private enum Errand {
        case write(DiskObject, [IndexedBlock])
        case writeAwaited(Awaited)
        case refuse(Awaited)
        case makeRoom
        case end
    }

    /// How long blocks wait for their neighbours, in nanoseconds: what a part of 4 MiB takes at S3's 90 MB/s. Files that are
    /// written in long runs are kept in bigger pieces by the page cache, and read faster from there.
    private static let patience = 50_000_000

    /// With this much queued they don't wait any longer.
    private static let gatheredByteCount = 64 << 20

    /// How long writing may go on when the cache is shut down: as long as somebody at a terminal likes to wait.
    private static let shutdownPatience: Duration = .seconds(2)

    /// How much nicer than the process the thread is while there is no hurry: as much as can be.
    private static let niceness: CInt = 19

    /// How much may be queued.
    let byteLimit: Int
    private let batchBlockCount: Int
    private let queue = Monitor(Queue())
    private let thread = Mutex<WorkerThread?>(nil)

    /// A queue of at most `byteLimit` bytes, written `batchByteLimit` bytes at a time.
    init(byteLimit: Int, batchByteLimit: Int) {
        self.byteLimit = byteLimit
        batchBlockCount = batchByteLimit / Block.byteCount
    }

    /// Starts the thread, which holds `cache` until it is ended.
    func start(for cache: DiskCache) {
        let started = WorkerThread { self.work(for: cache) }
        thread.withLock { $0 = started }
    }

    /// Writes what is queued, as far as that is quick, ends the thread and waits for that.
    func end() {
        queue.change { $0.end = $0.end ?? .now + DiskWriter.shutdownPatience }
        thread.withLock { $0.take() }?.join()
    }

    /// Queues a block of `object`.
    ///
    /// - Returns: `false` if too much is queued; nothing is kept of it then.
    func add(_ blocks: [IndexedBlock], of object: DiskObject) -> Bool {
        queue.change { queue in
            let byteCount = blocks.count * Block.byteCount
            guard queue.end == nil, queue.byteCount + queue.reservedByteCount + byteCount <= byteLimit else {
                return false
            }
            queue.byteCount += byteCount
            let id = ObjectIdentifier(object)
            if queue.pending[id] == nil { queue.turns.append(id) }
            queue.pending[id, default: Pending(object: object)].blocks += blocks
            return true
        }
    }

    /// Sets a part of the queue aside, half of it at the most for all who do.
    ///
    /// - Returns: Whether there was so much left.
    func reserve(_ byteCount: Int) -> Bool {
        queue.change { queue in
            let reserved = queue.reservedByteCount + byteCount
            // One is always let through, however small the queue is.
            guard queue.end == nil, queue.reservedByteCount == 0 || reserved <= byteLimit / 2,
                queue.byteCount == 0 || queue.byteCount + reserved <= byteLimit
            else { return false }
            queue.reservedByteCount = reserved
            return true
        }
    }

    /// Gives back what was set aside.
    func giveBack(_ byteCount: Int) {
        queue.change { $0.reservedByteCount -= byteCount }
    }

    /// Writes blocks of `object`, ahead of all that nobody waits for. `completion` is called once, under no lock.
    func write(
        _ blocks: [IndexedBlock], of object: DiskObject, _ reservation: WriteReservation,
        completion: @escaping @Sendable (WriteOutcome) -> Void
    ) {
        let awaited = Awaited(object: object, blocks: blocks, reservation: reservation, completion: completion)
        let isTaken = queue.change { queue in
            guard queue.end == nil else { return false }
            queue.awaited.append(awaited)
            return true
        }
        if !isTaken { completion(.notNow) }
    }

    /// There is little room left: the thread looks after it.
    func makeRoom() {
        queue.change { $0.isRoomWanted = true }
    }

    /// Waits until all that was queued is written or dropped. For tests.
    func waitUntilIdle() {
        queue.wait { queue in queue.byteCount == 0 && !queue.isRoomWanted ? () : nil }
    }

    // MARK: On the thread

    private func work(for cache: DiskCache) {
        while true {
            queue.wait { queue in
                queue.end == nil && !queue.isRoomWanted && queue.turns.isEmpty && queue.awaited.isEmpty ? nil : ()
            }
            gatherNeighbours()
            while let errand = queue.change({ nextErrand(&$0) }) {
                guard perform(errand, for: cache) else { return }
                // What was written is let go of by now.
                cache.didRelease()
            }
        }
    }

    private func perform(_ errand: consuming Errand, for cache: DiskCache) -> Bool {
        switch errand {
        case .makeRoom:
            cache.makeRoom()
            queue.change { $0.isRoomWanted = false }
        case .write(let object, let blocks):
            if cache.write(blocks, of: object, mayEvict: true) == .written { object.proveIfComplete() }
            hurry(
                queue.change { queue in
                    queue.byteCount -= blocks.count * Block.byteCount
                    return queue.byteCount > byteLimit / 4 * 3
                })
        case .writeAwaited(let awaited):
            awaited.completion(write(awaited, for: cache))
        case .refuse(let awaited):
            awaited.completion(.notNow)
        case .end:
            return false
        }
        return true
    }

    private func write(_ awaited: Awaited, for cache: DiskCache) -> WriteOutcome {
        var rest = awaited.blocks[...]
        while !rest.isEmpty {
            let batch = Array(rest.prefix(batchBlockCount))
            rest = rest.dropFirst(batch.count)
            let outcome = cache.write(batch, of: awaited.object, mayEvict: true)
            guard outcome == .written else { return outcome }
        }
        awaited.object.proveIfComplete()
        return .written
    }

    /// Gives the thread the process's priority, or a lower one. Refused to whoever may not raise a priority; then it stays low.
    private func hurry(_ isHurried: Bool) {
        let process = __priority_which_t(PRIO_PROCESS.rawValue)
        let base = getpriority(process, id_t(getpid()))
        let wanted = isHurried ? base : base + DiskWriter.niceness
        // 0 is the calling thread.
        if getpriority(process, 0) != wanted { setpriority(process, 0, wanted) }
    }

    private func nextErrand(_ queue: inout Queue) -> Errand? {
        if let end = queue.end, ContinuousClock.now >= end || queue.turns.isEmpty && queue.awaited.isEmpty {
            if let next = queue.awaited.popFirst() { return .refuse(next) }
            queue.turns = []
            queue.pending = [:]
            queue.byteCount = 0
            return .end
        }
        if queue.isRoomWanted { return .makeRoom }
        if let next = queue.awaited.popFirst() { return .writeAwaited(next) }
        guard let id = queue.turns.popFirst(), var pending = queue.pending.removeValue(forKey: id) else { return nil }
        pending.blocks.sort { $0.index < $1.index }
        let batch = Array(pending.blocks.prefix(batchBlockCount))
        pending.blocks.removeFirst(batch.count)
        if !pending.blocks.isEmpty {
            queue.turns.append(id)
            queue.pending[id] = pending
        }
        return .write(pending.object, batch)
    }

    private func gatherNeighbours() {
        queue.wait(nanoseconds: DiskWriter.patience) { queue in
            queue.end != nil || queue.isRoomWanted || !queue.awaited.isEmpty
                || queue.byteCount >= min(DiskWriter.gatheredByteCount, byteLimit / 2)
        }
    }
}

/// A complete block and its place in its object.
struct IndexedBlock {
    let index: Int
    let block: Block
}
