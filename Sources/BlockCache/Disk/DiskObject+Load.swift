import ObjectStore

extension DiskObject {
    /// The number of blocks read with one call: 1 MiB, the kernel's biggest request.
    private static let loadBlockCount = 8

    /// Reads contiguous blocks into memory on a thread of the cache, and checks them.
    ///
    /// - Parameters:
    ///   - blocks: The memory; not to be accessed by others before it is reported.
    ///   - index: The index of the first block in the object. The range must not exceed the object.
    ///   - progress: Called as verified bytes of the object arrive, in order and without gaps.
    ///   - completion: Called once at the end with the offset before which all bytes are right. If that isn't the end
    ///     of the last block, the next block is absent or damaged and must be fetched elsewhere. Called at once on the
    ///     calling thread if the cache has been shut down.
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

    /// Reads the blocks from `index` on into `buffers`, and handles damaged ones.
    ///
    /// - Returns: The number of right blocks, from the first one on.
    func countRight(_ buffers: [UnsafeMutableRawBufferPointer], from index: Int, in files: ObjectFiles) -> Int {
        readRight(buffers, from: index, in: files).count
    }

    /// Reads and counts like `countRight`. `metDamage` is `true` if a damaged block ended the read.
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
