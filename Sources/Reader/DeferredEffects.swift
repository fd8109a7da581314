import BlockCache
import ObjectStore
import SystemSupport

/// Effects decided under an object's lock, to be carried out after the lock is released.
struct DeferredEffects {
    /// Parts to request from the store.
    var started: [(number: UInt64, range: Range<Int>)] = []
    /// The deadline of the requests for `started`; `nil` for the full timeout of a request.
    var deadline: RunningClock.Instant?
    /// Parts to read from the disk, into these blocks.
    var loaded: [(number: UInt64, blocks: [Block], firstIndex: Int)] = []
    /// Complete blocks from the store, to be stored on the disk.
    var stored: [(index: Int, block: Block)] = []
    /// Requests to cancel.
    var cancelled: [any StoreRequest] = []
    /// Reads that have ended.
    var completed: [(ReadCompletion, Result<ReadBytes, StoreError>)] = []
    /// Completions that will not be called. Like the blocks, they are released outside the lock: a completion may hold
    /// the last handle of the object, and closing that takes the lock.
    var dropped: [ReadCompletion] = []
    /// Blocks to release.
    var released: [Block] = []
    /// `true` if blocks became free or evictable, so that reads that wait for memory may get some.
    var letsGoOfMemory = false
    /// `true` if the object may have no handle open and no part in flight.
    var mayBeIdle = false

    /// Adds `blocks` to those to release.
    mutating func release(_ blocks: some Sequence<Block>) {
        released += blocks
        letsGoOfMemory = true
    }
}
