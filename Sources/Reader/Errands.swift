import BlockCache
import ObjectStore

/// What was decided under an object's lock, and is to be done when the lock is let go.
struct Errands {
    /// Parts to ask the store for.
    var started: [(number: UInt64, range: Range<Int>)] = []
    /// When the requests for `started` are given up; `nil` for as long from now on as any request has.
    var deadline: RunningClock.Instant?
    /// Parts to read from the disk, into these blocks.
    var loaded: [(number: UInt64, blocks: [Block], firstIndex: Int)] = []
    /// Complete blocks that the store has sent, for the disk to keep.
    var stored: [(index: Int, block: Block)] = []
    /// Requests that nobody wants any more.
    var cancelled: [any StoreRequest] = []
    /// Reads that have ended.
    var completed: [(ReadCompletion, Result<ReadBytes, StoreError>)] = []
    /// Completions that will not be called. They are let go of like the blocks, outside of the lock: one may hold the
    /// last handle of the object, whose closing takes it.
    var dropped: [ReadCompletion] = []
    /// Blocks to let go of.
    var released: [Block] = []
    /// Whether blocks became free or evictable, so that reads that wait for memory may get some.
    var letsGoOfMemory = false
    /// Whether the object may have nothing open and nothing in flight any more.
    var mayBeIdle = false

    /// Lets go of `blocks`.
    mutating func release(_ blocks: some Sequence<Block>) {
        released += blocks
        letsGoOfMemory = true
    }
}
