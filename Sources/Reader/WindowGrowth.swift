import BlockCache

/// The size of a cursor's window. A small object is fetched whole at its first read. For others:
///
/// - A run from the object's beginning, while nothing else is prefetched, most likely reads the whole object. Its
///   window opens at 1 MiB and quadruples with each refill, up to `openByteCountMax`.
/// - Any other run may end soon. Its window equals the bytes read, up to `carefulByteCountMax`, and a quarter of the
///   bytes read beyond that: an early end costs little.
/// - Beyond the size that needs no proof, a window grows only if its reader had to wait for bytes that were requested
///   at the present window size: a reader that finds all bytes available needs no more of them, and the memory serves
///   others.
enum WindowGrowth {
    /// The window size of a run that may end soon, up to which it equals the bytes read; beyond that it is a quarter.
    static let carefulByteCountMax = 8 << 20
    /// The divisor for the window of a run that may end soon. Together with the kernel's own read-ahead, a quarter
    /// keeps the fetched bytes within 1.3 times the bytes requested by the application, once those are 32 MiB.
    static let carefulDivisor = 4
    /// The largest window of a run that may end soon and whose reader never waits.
    static let carefulOpenByteCountMax = 2 << 20
    /// The number of refills of a window, which is the number of requests that share the network.
    static let partCount = 16
    /// The smallest refill: a smaller request costs more than it gains.
    static let partByteCountMin = 4 * Block.byteCount
    /// The largest window of a reader that never waits: 16 parts, 1 GB/s at S3's latency.
    static let openByteCountMax = 64 << 20
    /// The biggest window: 32 parts, 1.9 GB/s at S3's latency, which exceeds a 10 Gbit/s network.
    static let windowByteCountMax = 32 * ReadWindows.partByteCount

    /// The biggest window of a stream with delayed parts, as a multiple of the usual one. At 1.4 GB/s two windows last
    /// 180 ms, the time of a slow response and its hedge.
    static let extensionMultiple = 2
    /// The distance behind a part that a read waits for at which another part counts as early: 8 parts. Nearer ones
    /// often arrive first without a fault.
    static let earlyByteCountMin = 8 * ReadWindows.partByteCount

    /// Returns the largest part for a window of this size: while the window grows, its bytes should come over several
    /// connections, since one transfers 90 MB/s.
    static func partByteCount(ofWindow windowByteCount: Int) -> Int {
        let part = max(windowByteCount / partCount, ReadCursor.firstByteCount)
        return min(part, ReadWindows.partByteCount) / Block.byteCount * Block.byteCount
    }

    /// Returns the new size of the window of `cursor`; `nil` while enough of it is left, or if the reads have not
    /// proved to be a sequence.
    ///
    /// - Parameter isEager: `true` if the run will probably be read to the object's end.
    static func window(of cursor: ReadCursor, isEager: Bool) -> Int? {
        let current = cursor.windowByteCount
        guard current > 0 else {
            // Three backward reads, each at the start of the one before, are hardly an accident; two forward reads may
            // be.
            if cursor.isBackward { return min(max(cursor.run.count, partByteCountMin), carefulOpenByteCountMax) }
            return cursor.trend > 0 ? ReadCursor.cautiousByteCount : nil
        }
        let left = cursor.ahead.count
        let part = min(max(current / partCount, partByteCountMin), ReadWindows.partByteCount)
        guard left < current / 2 || current - left >= part else { return nil }
        let read = cursor.run.count
        if isEager {
            // Four times as many bytes in flight after each round trip, and at most three times the bytes read as
            // waste.
            let limit = min(4 * current, 3 * read + ReadCursor.firstByteCount)
            return max(current, min(limit, cursor.hasWaited ? .max : openByteCountMax))
        }
        let limit = max(min(read, carefulByteCountMax), read / carefulDivisor)
        return max(current, min(limit, cursor.hasWaited ? .max : carefulOpenByteCountMax))
    }
}
