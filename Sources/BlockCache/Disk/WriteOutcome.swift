/// What became of blocks that were to be written to the disk.
public enum WriteOutcome: Sendable {
    /// They are there.
    case written
    /// All room is taken, by what is in use or isn't evicted.
    case noRoom
    /// Another process is at it, too much is queued, or this one ends. To be tried again.
    case notNow
    /// The disk fails, or is full.
    case failed
}

/// A part of the queue of blocks that are to be written, set aside for somebody who waits for them; given back with this instance.
public final class WriteReservation: Sendable {
    private let writer: DiskWriter
    private let byteCount: Int

    /// - Returns: `nil` where too much is queued.
    init?(_ byteCount: Int, in writer: DiskWriter) {
        guard writer.reserve(byteCount) else { return nil }
        self.writer = writer
        self.byteCount = byteCount
    }

    deinit {
        writer.giveBack(byteCount)
    }
}
