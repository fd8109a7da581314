import ObjectStore

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

    /// Reads the blocks from `index` on into `buffers`, and sees to what is wrong with them.
    ///
    /// - Returns: How many of them are right, from the first one on.
    func countRight(_ buffers: [UnsafeMutableRawBufferPointer], from index: Int, in files: ObjectFiles) -> Int {
        readRight(buffers, from: index, in: files).count
    }

    /// The same, and whether it was damage that it ended with.
    func readRight(
        _ buffers: [UnsafeMutableRawBufferPointer], from index: Int, in files: ObjectFiles
    ) -> (count: Int, metDamage: Bool) {
        let (count, end) = files.readRight(into: buffers, from: index)
        guard end == .damaged || end == .damagedForGood else { return (count, false) }
        cache.health.noteDamage("block \(index + count) of \(identity.version.key)")
        if end == .damagedForGood { try? drop(files) }
        return (count, true)
    }
}
