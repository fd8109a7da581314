import DequeModule
import Glibc
import Synchronization
import SystemSupport

/// The thread that writes blocks to the disk in the background, and its queue.
///
/// Blocks wait briefly for their neighbors, so that several are written with one call. While the queue is less than
/// three quarters full, the thread runs at a low priority (setpriority(2)): when all processors are busy, readers go
/// first. If the queue still fills, the disk is too slow and blocks are dropped. A caller that waits for its blocks to
/// be written reserves queue space before it gets them (`WriteReservation`).
final class DiskWriter: Sendable {
    private struct Pending {
        let object: DiskObject
        var blocks: [IndexedBlock] = []
    }

    private struct Queue {
        var pending: [ObjectIdentifier: Pending] = [:]
        /// The objects with pending blocks, in turn.
        var turns: Deque<ObjectIdentifier> = []
        /// The bytes that are queued or being written.
        var byteCount = 0
        var awaited: Deque<Awaited> = []
        /// The bytes reserved for awaited writes.
        var reservedByteCount = 0
        var isRoomWanted = false
        /// The deadline after which unwritten blocks are dropped.
        var end: ContinuousClock.Instant?
    }

    /// Blocks whose write is waited for.
    private struct Awaited {
        let object: DiskObject
        let blocks: [IndexedBlock]
        /// Held until they are written.
        let reservation: WriteReservation
        let completion: @Sendable (WriteOutcome) -> Void
    }

    private enum Job {
        case write(DiskObject, [IndexedBlock])
        case writeAwaited(Awaited)
        case refuse(Awaited)
        case makeRoom
        case end
    }

    /// The time that blocks wait for their neighbors: the time of a 4 MiB part at S3's 90 MB/s. The page cache keeps
    /// files that are written in long runs in bigger pieces, and reads them faster.
    private static let gatherTime: Duration = .milliseconds(50)

    /// At this queue length blocks don't wait any longer.
    private static let gatheredByteCount = 64 << 20

    /// The time that writing may continue at shutdown: as long as a user at a terminal tolerates.
    private static let shutdownTimeout: Duration = .seconds(2)

    /// The niceness of the thread while there is no hurry: the maximum.
    private static let niceness: CInt = 19

    /// The limit of the queue.
    let byteLimit: Int
    private let batchBlockCount: Int
    private let queue = Monitor(Queue())
    private let thread = Mutex<WorkerThread?>(nil)

    /// Creates a queue of at most `byteLimit` bytes, written `batchByteLimit` bytes at a time.
    init(byteLimit: Int, batchByteLimit: Int) {
        self.byteLimit = byteLimit
        batchBlockCount = batchByteLimit / Block.byteCount
    }

    /// Starts the thread, which retains `cache` until it ends.
    func start(for cache: DiskCache) {
        let started = WorkerThread { self.work(for: cache) }
        thread.withLock { $0 = started }
    }

    /// Writes queued blocks as far as that is quick, ends the thread and waits for it.
    func end() {
        queue.change { $0.end = $0.end ?? .now + DiskWriter.shutdownTimeout }
        thread.withLock { $0.take() }?.join()
    }

    /// Queues blocks of `object`.
    ///
    /// - Returns: `false` if the queue is full; no block is queued then.
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

    /// Reserves a part of the queue. All reservations together get at most half of it.
    ///
    /// - Returns: `true` if enough was left.
    func reserve(_ byteCount: Int) -> Bool {
        queue.change { queue in
            let reserved = queue.reservedByteCount + byteCount
            // One reservation always succeeds, however small the queue is.
            guard queue.end == nil, queue.reservedByteCount == 0 || reserved <= byteLimit / 2,
                queue.byteCount == 0 || queue.byteCount + reserved <= byteLimit
            else { return false }
            queue.reservedByteCount = reserved
            return true
        }
    }

    /// Returns a reservation.
    func giveBack(_ byteCount: Int) {
        queue.change { $0.reservedByteCount -= byteCount }
    }

    /// Writes blocks of `object`, ahead of background writes. `completion` is called once, under no lock.
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

    /// Tells the thread that little room is left, so that it evicts.
    func makeRoom() {
        queue.change { $0.isRoomWanted = true }
    }

    /// `true` if no block is queued or being written.
    var isIdle: Bool {
        queue.look { $0.byteCount == 0 && $0.awaited.isEmpty }
    }

    /// Waits until all queued blocks are written or dropped. For tests.
    func waitUntilIdle() {
        queue.wait { queue in queue.byteCount == 0 && !queue.isRoomWanted ? () : nil }
    }

    // MARK: On the thread

    private func work(for cache: DiskCache) {
        while true {
            queue.wait { queue in
                queue.end == nil && !queue.isRoomWanted && queue.turns.isEmpty && queue.awaited.isEmpty ? nil : ()
            }
            gatherNeighbors()
            while let job = queue.change({ nextJob(&$0) }) {
                guard perform(job, for: cache) else { return }
                // The written blocks are released by now.
                cache.didRelease()
            }
        }
    }

    private func perform(_ job: consuming Job, for cache: DiskCache) -> Bool {
        switch job {
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

    /// Gives the thread the process's priority, or a lower one. Without permission to raise it, the priority stays low.
    private func hurry(_ isHurried: Bool) {
        let process = __priority_which_t(PRIO_PROCESS.rawValue)
        let base = getpriority(process, id_t(getpid()))
        let wanted = isHurried ? base : base + DiskWriter.niceness
        // 0 means the calling thread.
        if getpriority(process, 0) != wanted { setpriority(process, 0, wanted) }
    }

    private func nextJob(_ queue: inout Queue) -> Job? {
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

    private func gatherNeighbors() {
        queue.wait(atMost: DiskWriter.gatherTime) { queue in
            queue.end != nil || queue.isRoomWanted || !queue.awaited.isEmpty
                || queue.byteCount >= min(DiskWriter.gatheredByteCount, byteLimit / 2)
        }
    }
}

/// A complete block and its index in its object.
struct IndexedBlock {
    let index: Int
    let block: Block
}
