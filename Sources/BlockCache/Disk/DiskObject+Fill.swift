public import struct SystemPackage.Errno

/// Storing an object on explicit request, not in the background of its readers.
extension DiskObject {
    /// The limit on objects that wait to be sealed, since each keeps its files open. At this number, fills of further
    /// objects wait.
    private static let unsealedCountMax = 256

    /// Returns the first contiguous absent blocks among `indices`; `nil` if all blocks are cached.
    ///
    /// - Parameter countMax: The maximum number of blocks.
    public func firstAbsent(among indices: Range<Int>, countMax: Int) -> Range<Int>? {
        let indices = indices.clamped(to: 0..<identity.blockCount)
        var start = indices.lowerBound
        var end = indices.upperBound
        for run in present(among: indices) {
            if run.lowerBound > start {
                end = run.lowerBound
                break
            }
            start = run.upperBound
        }
        return start < end ? start..<min(end, start + countMax) : nil
    }

    /// The indices of all blocks that are not cached.
    public var absent: RangeSet<Int> {
        var absent = RangeSet(0..<identity.blockCount)
        for run in present(among: 0..<identity.blockCount) { absent.remove(contentsOf: run) }
        return absent
    }

    /// The most blocks that `write` accepts at once: no more than fit beside the queue of the readers.
    public var writeBlockCountMax: Int { max(cache.writer.byteLimit / 2 / Block.byteCount, 1) }

    /// Reserves queue space for a `write` of `blockCount` blocks; `nil` if the caller should retry later.
    public func reserveWrite(_ blockCount: Int) -> WriteReservation? {
        guard cache.ioThreads.backgroundJobCount < DiskObject.unsealedCountMax else { return nil }
        return WriteReservation(blockCount * Block.byteCount, in: cache.writer)
    }

    /// Writes contiguous blocks, ahead of background writes.
    ///
    /// - Parameters:
    ///   - blocks: Held until they are written.
    ///   - index: The index of the first block in the object.
    ///   - completion: Called once, under no lock, on a thread of the cache, or on the calling thread if the cache has
    ///     been shut down.
    public func write(
        _ blocks: [Block], from index: Int, _ reservation: WriteReservation,
        completion: @escaping @Sendable (WriteOutcome) -> Void
    ) {
        let indexed = blocks.enumerated().map { IndexedBlock(index: index + $0.offset, block: $0.element) }
        cache.writer.write(indexed, of: self, reservation, completion: completion)
    }

    /// Checks the cached blocks among `indices` and drops damaged ones, on a thread of the cache, after all reads that
    /// are waited for.
    ///
    /// - Parameter completion: Receives the number of damaged blocks; `nil` if the cache has been shut down.
    public func check(_ indices: Range<Int>, completion: @escaping @Sendable (Int?) -> Void) {
        let isRunning = cache.ioThreads.run(inBackground: true) { [self] in completion(damagedCount(among: indices)) }
        if !isRunning { completion(nil) }
    }

    private func damagedCount(among indices: Range<Int>) -> Int {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: Block.byteCount, alignment: 4096)
        defer { scratch.deallocate() }
        var count = 0
        for index in present(among: indices).joined() {
            guard let files = files() else { break }
            let buffer = UnsafeMutableRawBufferPointer(rebasing: scratch[..<identity.bytes(ofBlock: index).count])
            if readRight([buffer], from: index, in: files).metDamage { count += 1 }
        }
        return count
    }

    /// Pins the object for all processes until it is released. Creates its files if they are missing.
    ///
    /// - Returns: `true` if the object is pinned; `false` if the pin limit would be exceeded.
    public func pin() throws(Errno) -> Bool {
        // An eviction may be removing the files right now.
        for _ in 0..<3 {
            let files = try filesForWriting(in: cache.directory)
            if try files.isPinned() { return true }
            guard cache.space.pinned.add(identity.allocatedByteCount) else { return false }
            try files.setPinned(true)
            if try files.isIntact() { return true }
            cache.space.pinned.takeOff(identity.allocatedByteCount)
        }
        throw .resourceTemporarilyUnavailable
    }
}
