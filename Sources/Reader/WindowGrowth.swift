/// How big the window of a cursor is. An object that is small is fetched whole at its first read; for the others:
///
/// - A run from the object's beginning, when nothing else is being read ahead, is most likely the whole object. Its window
///   opens at 1 MiB and doubles each time it is refilled, up to `openByteCountMax`.
/// - Any other run may end soon. Its window is at most a quarter of what was read, so that an end that comes early costs
///   little, and is refilled in small parts, which are there sooner.
/// - Beyond what needs no proof a window grows only if its reader had to wait for bytes that were asked for with the
///   window as it is: whoever finds all bytes at hand needs no more of them, and their memory serves others.
enum WindowGrowth {
    /// The parts of runs that may end soon: with 2 MiB instead of 8 it takes a third of the bytes in flight to get the
    /// same rate at S3's latency, since a part takes 43 ms instead of 113 (20 ms, 90 MB/s).
    static let carefulPartByteCount = 2 << 20
    /// How much of what was read the window of a run that may end soon is: a quarter. With what the kernel reads ahead by
    /// itself that keeps within 1.3 times what an application asked for.
    static let carefulDivisor = 4
    /// How big a window gets even though its reader never waits: eight parts, 0.6 GB/s at S3's latency.
    static let openByteCountMax = 64 << 20
    /// The biggest window: with 24 parts in flight one stream was as fast as with 64 at S3's latency (1.5 GB/s).
    static let windowByteCountMax = 24 * ReadWindows.partByteCount

    /// How big the window of `cursor` should be now; `nil` while enough of it is left, and where the reads have not shown
    /// that they are a sequence.
    ///
    /// - Parameter isEager: Whether the run is likely to be read to the object's end.
    static func window(of cursor: ReadCursor, isEager: Bool) -> Int? {
        let current = cursor.windowByteCount
        guard current > 0 else {
            return cursor.trend > 0 || cursor.isBackward ? ReadCursor.cautiousByteCount : nil
        }
        let left = cursor.ahead.count
        let part = isEager ? ReadWindows.partByteCount : carefulPartByteCount
        guard left < current / 2 || current - left >= part else { return nil }
        let read = cursor.run.count
        let limit: Int
        let free: Int
        if isEager {
            // Three times as many bytes under way after each round trip, and no more than twice what was read in vain.
            limit = 2 * read + ReadCursor.firstByteCount
            free = openByteCountMax
        } else {
            limit = max(min(read, part), read / carefulDivisor)
            free = part
        }
        return max(current, min(2 * current, limit, cursor.hasWaited ? .max : free))
    }
}
