// How bytes are read
// ------------------
// `Reader` has one `ObjectReads` for each object version that is open or still has something in flight. All handles of a
// version (`ObjectReader`) share it, so that what one process fetches serves the others.
//
// `ObjectReads` keeps, under one lock (`ObjectReads.State`): the *parts* in flight, each of which is one GET for adjoining
// blocks and knows how far it has come; the *reads* that have not ended; and the `ReadWindows`, which say what to fetch
// ahead of whom. Complete blocks are in the `BlockCache`, which also is the budget for all memory.
//
// A read goes like this. Its blocks are looked up in the cache and in the parts in flight. If its bytes are all there, it is
// answered at once. Otherwise memory for the blocks that are neither cached nor in flight is taken; they and what the window
// asks for become new parts, one for blocks that adjoin; and the read is *parked* on the parts it needs bytes of. The
// network thread that receives the last of these bytes completes it, even in the middle of a block. If memory is short,
// there is no read-ahead, and the read queues up in the cache (why that always ends is said there) and starts over
// when it has its memory.
//
// Ownership: `Reader` and `ObjectReads` hold each other while the object is open or something is in flight, and no longer.
// A part is held by `ObjectReads`; the store holds its `PartReceiver`, which holds `ObjectReads`. Blocks are held by the
// cache, the part that fills them, and the reads and replies that are made of them.
//
// Invariants:
// - A byte that is cached or in flight is not asked for. A GET covers whole blocks, or goes up to the object's end.
// - Nobody sees a byte that has not been received: what a read lacks, it waits for or fails on. Never zeros.
// - All bytes under one `ObjectID` are of one version, since every request carries the version.
// - Memory is taken before a request is sent, and a request is only sent for taken memory.
// - A completion is called once, or never if the read was cancelled; under no lock.
//
// Locks, outermost first: `Reader`'s table, an object's state, the cache's, the pool's. The store and completions are
// called, and blocks are let go of, under none of them.

public import BlockCache
public import ObjectStore
import Synchronization

/// The one place where the bytes of objects are asked for, shared by all who read.
public final class Reader: Sendable {
    let store: any ObjectStore
    let cache: BlockCache
    private let disk: DiskCache?
    let limits: ReaderLimits
    let meter = ReadMeter()
    private let objects = Mutex<[ObjectVersion: ObjectReads]>([:])

    /// A reader of the objects in `store`.
    ///
    /// - Parameters:
    ///   - cache: Keeps the blocks; its memory is all that object bytes may take. No other reader may use it.
    ///   - disk: Keeps them on the disk, if they are to be kept there. `BlockCache.serveWaiting` is to be called when it has
    ///     let go of blocks.
    public init(store: any ObjectStore, cache: BlockCache, disk: DiskCache? = nil, limits: ReaderLimits) {
        self.store = store
        self.cache = cache
        self.disk = disk
        self.limits = limits
    }

    /// Where they are kept on the disk; `nil` where they aren't.
    public var diskCache: DiskCache? { disk }

    /// How reads were answered so far.
    public var counts: ReadCounts { meter.counts }

    /// The reading state of this object version, shared by all who have it open, so that what one of them fetches serves
    /// the others. It is closed when the last reference to the handle goes.
    public func open(_ object: ObjectVersion) -> ObjectReader {
        if let reads = objects.withLock({ $0[object]?.opened() }) { return ObjectReader(reads) }
        // Outside of the lock, since this looks at the disk.
        let onDisk = object.byteCount == 0 ? nil : disk?.open(object)
        return ObjectReader(
            objects.withLock { objects in
                let reads =
                    objects[object] ?? ObjectReads(object, id: cache.open(object), disk: onDisk, reader: self)
                objects[object] = reads
                // Counted under the table's lock: else `forgetIfIdle` could drop it in between, and the next `open` would
                // make another one that fetches the same bytes.
                return reads.opened()
            })
    }

    /// The biggest object that is fetched whole as soon as somebody reads of it.
    public static let smallByteCountMax = ReadWindows.firstByteCount

    /// Fetches a small object (`smallByteCountMax` at the most, not empty) that may be read soon, if memory can be spared. What
    /// is at hand or on its way is not asked for again. An error is nobody's: who reads the object asks again.
    public func prefetchWhole(_ object: ObjectVersion) {
        precondition(1...Reader.smallByteCountMax ~= object.byteCount)
        let handle = open(object)
        // Closed only now: an object with nothing in flight would be forgotten.
        withExtendedLifetime(handle) { handle.reads.prefetchWhole() }
    }

    /// Drops the state of an object that nobody has open and that has nothing in flight.
    func forgetIfIdle(_ reads: ObjectReads) {
        objects.withLock { objects in
            guard objects[reads.object] === reads, reads.isIdle else { return }
            objects[reads.object] = nil
            cache.close(reads.id)
        }
    }
}
