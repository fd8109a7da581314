import BlockCache

/// How big the window of a cursor is. An object that is small is fetched whole at its first read; for the others:
///
/// - A run from the object's beginning, when nothing else is being read ahead, is most likely the whole object. Its window
///   opens at 1 MiB and gets four times as big each time it is refilled, up to `openByteCountMax`.
/// - Any other run may end soon. Its window is as big as what was read, up to `carefulByteCountMax`, and from there on a
///   quarter of what was read: an end that comes early costs little.
/// - Beyond what needs no proof a window grows only if its reader had to wait for bytes that were asked for with the
///   window as it is: whoever finds all bytes at hand needs no more of them, and their memory serves others.
enum WindowGrowth {
    /// How big the window of a run that may end soon gets before it is a quarter of what was read.
    static let carefulByteCountMax = 8 << 20
    /// The part of what was read that the window of a run that may end soon is. With what the kernel reads ahead by itself
    /// a quarter keeps within 1.3 times what an application asked for, once that is 32 MiB.
    static let carefulDivisor = 4
    /// How big the window of a run that may end soon gets even though its reader never waits.
    static let carefulOpenByteCountMax = 2 << 20
    /// How many refills a window takes: as many requests share the network then.
    static let partCount = 16
    /// The smallest refill: a request for less costs more than it brings.
    static let partByteCountMin = 4 * Block.byteCount
    /// How big a window gets even though its reader never waits: 16 parts, 1 GB/s at S3's latency.
    static let openByteCountMax = 64 << 20
    /// The biggest window: 32 parts, 1.9 GB/s at S3's latency, which is more than a 10 Gbit/s network brings.
    static let windowByteCountMax = 32 * ReadWindows.partByteCount

    /// The biggest part that a window of this size asks for: while it grows, what it asks for shall come by several
    /// connections, since one brings 90 MB/s.
    static func partByteCount(ofWindow windowByteCount: Int) -> Int {
        let part = max(windowByteCount / partCount, ReadCursor.firstByteCount)
        return min(part, ReadWindows.partByteCount) / Block.byteCount * Block.byteCount
    }

    /// How big the window of `cursor` should be now; `nil` while enough of it is left, and where the reads have not shown
    /// that they are a sequence.
    ///
    /// - Parameter isEager: Whether the run is likely to be read to the object's end.
    static func window(of cursor: ReadCursor, isEager: Bool) -> Int? {
        let current = cursor.windowByteCount
        guard current > 0 else {
            // Three reads backward, each at the start of the one before, are hardly an accident; two forward may be.
            if cursor.isBackward { return min(max(cursor.run.count, partByteCountMin), carefulOpenByteCountMax) }
            return cursor.trend > 0 ? ReadCursor.cautiousByteCount : nil
        }
        let left = cursor.ahead.count
        let part = min(max(current / partCount, partByteCountMin), ReadWindows.partByteCount)
        guard left < current / 2 || current - left >= part else { return nil }
        let read = cursor.run.count
        if isEager {
            // Four times as many bytes under way after each round trip, and no more than three times what was read in vain.
            let limit = min(4 * current, 3 * read + ReadCursor.firstByteCount)
            return max(current, min(limit, cursor.hasWaited ? .max : openByteCountMax))
        }
        let limit = max(min(read, carefulByteCountMax), read / carefulDivisor)
        return max(current, min(limit, cursor.hasWaited ? .max : carefulOpenByteCountMax))
    }
}
