public import struct SystemPackage.Errno

/// Bringing an object to the disk because somebody asked for that, not behind its readers.
extension DiskObject {
    /// Objects that wait to be sealed keep their files open. With this many, who fills others waits.
    private static let unsealedCountMax = 256

    /// The first blocks among `indices` that aren't there, as far as they adjoin; `nil` if all are.
    ///
    /// - Parameter countMax: At most so many.
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

    /// How many blocks `write` may be given at once: no more than are found room for beside what readers have queued.
    public var writeBlockCountMax: Int { max(cache.writer.byteLimit / 2 / Block.byteCount, 1) }

    /// Sets aside what `write` needs for `blockCount` blocks; `nil` where it should be asked for later.
    public func reserveWrite(_ blockCount: Int) -> WriteReservation? {
        guard cache.ioThreads.backgroundJobCount < DiskObject.unsealedCountMax else { return nil }
        return WriteReservation(blockCount * Block.byteCount, in: cache.writer)
    }

    /// Writes adjoining blocks, ahead of what nobody waits for.
    ///
    /// - Parameters:
    ///   - blocks: Held until they are written.
    ///   - index: Which block of the object the first one is.
    ///   - completion: Called once, under no lock, on a thread of the cache, or on this one if the cache has been shut down.
    public func write(
        _ blocks: [Block], from index: Int, _ reservation: WriteReservation,
        completion: @escaping @Sendable (WriteOutcome) -> Void
    ) {
        let indexed = blocks.enumerated().map { IndexedBlock(index: index + $0.offset, block: $0.element) }
        cache.writer.write(indexed, of: self, reservation, completion: completion)
    }

    /// Checks those of the blocks `indices` that are there, and drops what is damaged, on a thread of the cache, after all
    /// that somebody reads.
    ///
    /// - Parameter completion: Gets how many were damaged; `nil` if the cache has been shut down.
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

    /// Has evictions leave the object, by whichever process, until it is released. Its files are made where there are none.
    ///
    /// - Returns: Whether that is so; `false` where too much would be kept.
    public func keep() throws(Errno) -> Bool {
        // An eviction may just take the files away.
        for _ in 0..<3 {
            let files = try filesForWriting(in: cache.directory)
            if try files.isKept() { return true }
            guard cache.space.kept.add(identity.allocatedByteCount) else { return false }
            try files.setKept(true)
            if try files.isIntact() { return true }
            cache.space.kept.takeOff(identity.allocatedByteCount)
        }
        throw .resourceTemporarilyUnavailable
    }
}
