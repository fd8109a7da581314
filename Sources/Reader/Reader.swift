// How bytes are read
// ------------------
// `Reader` has one `ObjectReads` for each object version that is open or still has parts in flight. All handles of a
// version (`ObjectReader`) share it, so that the bytes fetched for one process serve the others.
//
// `ObjectReads` keeps, under one lock (`ObjectReads.State`): the *parts* in flight, each of which is one GET for
// contiguous blocks with its progress; the *reads* that have not ended; and the `ReadWindows`, which decide on
// prefetches. Complete blocks are in the `BlockCache`, which is also the budget for all memory.
//
// A read takes these steps. Its blocks are looked up in the cache and in the parts in flight. If all its bytes are
// available, it is answered at once. Otherwise it takes memory for the blocks that are neither cached nor in flight;
// they and the blocks of the window become new parts, one for each contiguous run; and the read is *parked* on the
// parts whose bytes it needs. The network thread that receives the last of these bytes completes it, even in the middle
// of a block. If memory is short, nothing is prefetched, and the read queues in the cache (the comment there says why
// that always ends) and starts over once it has its memory.
//
// Ownership: `Reader` and `ObjectReads` hold each other only while the object is open or has parts in flight.
// `ObjectReads` holds its parts; the store holds a `PartReceiver`, which holds `ObjectReads`. Blocks are held by the
// cache, the part that fills them, and the reads and replies made of them.
//
// Invariants:
// - A byte that is cached or in flight is not requested again. A GET covers whole blocks, or extends to the object's
//   end.
// - A byte is never returned before it has been received: a read waits or fails for missing bytes. Never zeros.
// - All bytes under one `ObjectID` are of one version, since every request carries the version.
// - Memory is taken before a request is sent, and a request is only sent for taken memory.
// - A completion is called once, or never if the read was canceled; under no lock.
//
// Locks, outermost first: `Reader`'s table, an object's state, the cache's, the pool's. No store call, completion or
// release of blocks happens under any of them.

public import BlockCache
public import ObjectStore
import Synchronization

/// Requests the bytes of objects, for all readers of a mount.
public final class Reader: Sendable {
    let store: any ObjectStore
    let cache: BlockCache
    private let disk: DiskCache?
    let limits: ReaderLimits
    let meter = ReadMeter()
    private let holes = HoleFiller()
    private let objects = Mutex<[ObjectVersion: ObjectReads]>([:])

    /// Creates a reader of the objects in `store`.
    ///
    /// - Parameters:
    ///   - cache: Stores the blocks; its memory is the limit for all object bytes. Only one reader may use it.
    ///   - disk: Stores blocks on the disk, if present. Its owner must call `BlockCache.serveWaiting` after it has
    ///     released blocks.
    public init(store: any ObjectStore, cache: BlockCache, disk: DiskCache? = nil, limits: ReaderLimits) {
        self.store = store
        self.cache = cache
        self.disk = disk
        self.limits = limits
    }

    /// The disk cache; `nil` if there is none.
    public var diskCache: DiskCache? { disk }

    /// The counts of reads so far.
    public var counts: ReadCounts { meter.counts }

    /// The counts of blocks that came faster than the disk took them.
    public var holeCounts: HoleCounts { holes.counts }

    /// Records a block that came from the store and was not stored because the disk is too slow.
    func noteHole(_ index: Int, of object: ObjectVersion) {
        holes.note(index, of: object, for: self, period: limits.refetchDelay)
    }

    /// Fetches blocks that the disk had no time for again, if no read has had to wait since the last call.
    func fillHoles() {
        holes.check(for: self)
    }

    /// Opens this object version. All its handles share one state, so that the bytes fetched for one serve the others.
    /// Releasing the last reference to the handle closes it.
    public func open(_ object: ObjectVersion) -> ObjectReader {
        if let reads = objects.withLock({ $0[object]?.opened() }) { return ObjectReader(reads) }
        // Outside the lock, because this accesses the disk.
        let onDisk = object.byteCount == 0 ? nil : disk?.open(object)
        return ObjectReader(
            objects.withLock { objects in
                let reads =
                    objects[object] ?? ObjectReads(object, id: cache.open(object), disk: onDisk, reader: self)
                objects[object] = reads
                // Counted under the table's lock: otherwise `forgetIfIdle` could drop the state in between, and the
                // next `open` would create another one that fetches the same bytes.
                return reads.opened()
            })
    }

    /// The biggest object that is fetched whole at its first read.
    public static let smallByteCountMax = ReadWindows.firstByteCount

    /// Prefetches a small object (at most `smallByteCountMax` bytes, not empty) if memory can be spared. Bytes that are
    /// available or in flight are not requested again. Errors are dropped: a read of the object requests it again.
    public func prefetchWhole(_ object: ObjectVersion) {
        precondition(1...Reader.smallByteCountMax ~= object.byteCount)
        let handle = open(object)
        // Closed only after this: an object without parts in flight would be forgotten.
        withExtendedLifetime(handle) { handle.reads.prefetchWhole() }
    }

    /// Drops the state of an object without open handles and parts in flight.
    func forgetIfIdle(_ reads: ObjectReads) {
        objects.withLock { objects in
            guard objects[reads.object] === reads, reads.isIdle else { return }
            objects[reads.object] = nil
            cache.close(reads.id)
        }
    }
}
