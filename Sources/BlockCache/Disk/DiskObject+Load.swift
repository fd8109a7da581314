import struct SystemPackage.Errno

extension DiskObject {
    /// Blocks that are read with one call: 1 MiB, what the kernel asks for at most.
    private static let loadBlockCount = 8

    /// Reads adjoining blocks into memory, on a thread of the cache, and checks them.
    ///
    /// - Parameters:
    ///   - blocks: The memory; nobody else touches it before it is reported.
    ///   - index: Which block of the object the first one is. There are not more blocks than the object has.
    ///   - progress: Called as bytes of the object have arrived and are right, in order and without gaps.
    ///   - completion: Called once at the end with how far it came: the bytes of the object before this offset are right. If
    ///     that isn't the end of the last block, the next one isn't there any more, or was damaged, and is to be got
    ///     elsewhere. Called on this thread, at once, if the cache has been shut down.
    public func load(
        _ blocks: [Block], from index: Int, progress: @escaping @Sendable (Range<Int>) -> Void,
        completion: @escaping @Sendable (Int) -> Void
    ) {
        precondition(index >= 0 && index + blocks.count <= identity.blockCount)
        let isRunning = cache.ioThreads.run { [self] in
            completion(loadNow(blocks, from: index, progress: progress))
        }
        if !isRunning { completion(index * Block.byteCount) }
    }

    private func loadNow(_ blocks: [Block], from index: Int, progress: (Range<Int>) -> Void) -> Int {
        guard let files = files() else { return index * Block.byteCount }
        noteUse()
        var next = index
        while next < index + blocks.count {
            let batch = blocks.dropFirst(next - index).prefix(DiskObject.loadBlockCount)
            let buffers = zip(next..., batch).map { index, block in
                UnsafeMutableRawBufferPointer(rebasing: block.memory[..<identity.bytes(ofBlock: index).count])
            }
            let rightCount = countRight(buffers, from: next, in: files)
            if rightCount > 0 {
                let last = identity.bytes(ofBlock: next + rightCount - 1)
                progress(next * Block.byteCount..<last.upperBound)
            }
            next += rightCount
            if rightCount < batch.count { return next * Block.byteCount }
        }
        return identity.bytes(ofBlock: next - 1).upperBound
    }

    /// Reads the blocks from `index` on into `buffers`.
    ///
    /// - Returns: How many of them are right, from the first one on.
    func countRight(_ buffers: [UnsafeMutableRawBufferPointer], from index: Int, in files: ObjectFiles) -> Int {
        let entries = (try? files.entries(index..<index + buffers.count)) ?? []
        let count = entries.firstIndex(of: 0) ?? entries.count
        guard count > 0 else { return 0 }
        let readCount = (try? files.data.read(into: Array(buffers[..<count]), at: index * Block.byteCount)) ?? 0
        for offset in 0..<count {
            let end = identity.bytes(ofBlock: index + offset).upperBound - index * Block.byteCount
            let bytes = UnsafeRawBufferPointer(buffers[offset])
            if readCount >= end, identity.checksum(bytes, ofBlock: index + offset) == entries[offset] { continue }
            guard isRightAfterAll(buffers[offset], at: index + offset, in: files) else { return offset }
        }
        return count
    }

    /// Reads a block again that wasn't right, now that nobody adds to the object or takes from it. If it is still wrong it is
    /// damaged, and is taken out of the index.
    private func isRightAfterAll(
        _ buffer: UnsafeMutableRawBufferPointer, at index: Int, in files: ObjectFiles
    ) -> Bool {
        enum Finding {
            case right, gone, damaged, damagedForGood
        }
        let finding = try? files.locked(.exclusive, patience: DiskObject.checkPatience) { _ throws(Errno) -> Finding in
            let entry = try files.entries(index..<index + 1)[0]
            guard entry != 0 else { return .gone }
            let count = (try? files.data.read(into: buffer, at: index * Block.byteCount)) ?? 0
            if count == buffer.count, identity.checksum(UnsafeRawBufferPointer(buffer), ofBlock: index) == entry {
                return .right
            }
            if try files.isSealed() { return .damagedForGood }
            try? files.setEntries([0], from: index)
            return .damaged
        }
        switch finding {
        case .right: return true
        case .damaged: cache.health.noteDamage(identity, block: index)
        case .damagedForGood:
            // The kernel may still be reading the file: it is left alone, and another one is made.
            cache.health.noteDamage(identity, block: index)
            try? drop(files)
        case .gone, nil: break
        }
        return false
    }

    /// How long to wait for a lock that is held while a batch of blocks is written.
    private static let checkPatience: Duration = .seconds(1)
}
