/// The outcome of a write of blocks to the disk.
public enum WriteOutcome: Sendable {
    /// The blocks are written.
    case written
    /// All space is taken by objects that are in use or pinned.
    case noRoom
    /// Another process holds the lock, the queue is full, or this process is shutting down. Retry later.
    case notNow
    /// The disk fails or is full.
    case failed
}

/// A reserved part of the write queue, for a caller that waits for its blocks to be written; released with this
/// instance.
public final class WriteReservation: Sendable {
    private let writer: DiskWriter
    private let byteCount: Int

    /// Reserves room for `byteCount` bytes; `nil` if the queue is full.
    init?(_ byteCount: Int, in writer: DiskWriter) {
        guard writer.reserve(byteCount) else { return nil }
        self.writer = writer
        self.byteCount = byteCount
    }

    deinit {
        writer.giveBack(byteCount)
    }
}
