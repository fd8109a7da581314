import BlockCache
import Glibc
import ObjectStore
import Synchronization
import SystemSupport

/// The counts of blocks that the store sent faster than the disk took them.
public struct HoleCounts: Sendable {
    /// The bytes of reads that were not stored because the disk was too slow.
    public internal(set) var skippedByteCount = 0
    /// The bytes of these that were stored later, most of them fetched again.
    public internal(set) var storedLaterByteCount = 0
}

/// Fetches the holes of objects again once the mount is idle, so that later opens find complete objects.
///
/// A stream may be faster than the disk. Its blocks then wait in memory as far as the budget allows (`DiskWriter`), and
/// beyond that they are skipped, since readers never wait for the disk. An object is completed if all blocks that the
/// disk lacks are such holes: then it was fetched as a whole, and the refetch costs no more than the stream did. Each
/// hole is fetched once, or taken from memory.
///
/// A thread checks once a period, while there are holes. Reads go first: pieces are requested only if no read has had
/// to wait since the last check, with the memory and the connections that `ObjectReader.fetchToDisk` may take.
final class HoleFiller: Sendable {
    /// The reads so far that needed the store, the disk or memory; equal at two times if there were none in between.
    private struct Demand: Equatable {
        let waitCount: Int
        let storeByteCount: Int

        init(_ counts: ReadCounts) {
            (waitCount, storeByteCount) = (counts.waitCount, counts.storeByteCount)
        }
    }

    private struct State {
        var table = HoleTable()
        var counts = HoleCounts()
        /// The demand at the last check.
        var demand: Demand?
        /// The objects to examine, as long as no read comes.
        var candidates: [ObjectVersion] = []
        var filling: HoleFilling?
        var hasThread = false

        /// Returns `false` if the thread is to end, because there are no holes.
        mutating func keepsThread() -> Bool {
            hasThread = !table.objects.isEmpty || filling != nil
            return hasThread
        }

        /// Takes the next object to examine, and its holes.
        mutating func takeCandidate() -> (ObjectVersion, RangeSet<Int>)? {
            guard filling == nil, let object = candidates.popLast() else { return nil }
            return (object, table[object])
        }

        /// Takes the next piece to request.
        mutating func takePiece() -> (ObjectReader, Range<Int>)? {
            guard let range = filling?.nextPiece(), let object = filling?.object else { return nil }
            return (object, range)
        }
    }

    private let state = Mutex(State())

    /// The time after which a piece is requested again for which memory or the disk had no room.
    private static let blockedPause: Duration = .milliseconds(20)

    /// The counts so far.
    var counts: HoleCounts { state.withLock { $0.counts } }

    /// Records a block of `object` that was not stored.
    ///
    /// - Parameter period: The interval of checks; `nil` for none.
    func note(_ index: Int, of object: ObjectVersion, for reader: Reader, period: Duration?) {
        let byteCount = min(Block.byteCount, object.byteCount - index * Block.byteCount)
        let isThreadWanted = state.withLock { state in
            state.counts.skippedByteCount += byteCount
            state.table.note(index, of: object)
            defer { state.hasThread = period != nil }
            return period != nil && !state.hasThread
        }
        guard isThreadWanted, let period else { return }
        let hasStarted = DetachedThread.start { [weak reader, self] in
            repeat {
                let isBlocked = state.withLock { $0.filling?.isBlocked == true && $0.filling?.isPaused == false }
                usleep(UInt32((isBlocked ? min(HoleFiller.blockedPause, period) : period) / .microseconds(1)))
                reader?.fillHoles()
            } while reader != nil && state.withLock { $0.keepsThread() }
        }
        // Another block may start it later.
        if !hasStarted { state.withLock { $0.hasThread = false } }
    }

    /// Starts or resumes fetching if no read has had to wait since the last call.
    func check(for reader: Reader) {
        let demand = Demand(reader.counts)
        let isQuiet = state.withLock { state in
            let isQuiet = state.demand == demand
            state.demand = demand
            if !isQuiet { state.candidates = state.table.objects }
            state.filling?.isPaused = !isQuiet
            state.filling?.isBlocked = false
            return isQuiet
        }
        guard isQuiet else { return }
        if state.withLock({ $0.filling == nil }) { begin(for: reader) }
        advance(for: reader)
    }

    /// Chooses the next object to complete, unless blocks are still on their way to the disk.
    private func begin(for reader: Reader) {
        guard reader.cache.inFlightBlockCount == 0, let disk = reader.diskCache, !disk.isWriting else { return }
        while let (object, holes) = state.withLock({ $0.takeCandidate() }) {
            let handle = reader.open(object)
            guard let absent = handle.diskObject?.absent, absent.isSubset(of: holes) else { continue }
            state.withLock { state in
                state.table.forget(object)
                if !absent.isEmpty { state.filling = HoleFilling(handle, missing: absent) }
            }
            if !absent.isEmpty { return }
        }
    }

    /// Requests as many pieces as may be in flight.
    private func advance(for reader: Reader) {
        while let (object, range) = state.withLock({ $0.takePiece() }) {
            _ = object.fetchToDisk(range) { [self] result in
                finish(range, try? result.get(), for: reader)
            }
        }
    }

    private func finish(_ range: Range<Int>, _ outcome: FetchOutcome?, for reader: Reader) {
        let demand = Demand(reader.counts)
        // Released under no lock, since that closes the object.
        let ended = state.withLock { state -> HoleFilling? in
            if case .present(_, let byteCount) = outcome { state.counts.storedLaterByteCount += byteCount }
            state.filling?.noteEnd(of: range, outcome)
            if state.demand != demand { state.filling?.isPaused = true }
            guard let filling = state.filling, filling.hasEnded else { return nil }
            state.filling = nil
            return filling
        }
        if let ended, !ended.isPaused { begin(for: reader) }
        advance(for: reader)
    }
}
