import struct SystemPackage.Errno

extension ObjectFiles {
    /// The reason that reading blocks ended.
    enum ReadEnd {
        /// All requested blocks were read.
        case complete
        /// The next block is absent.
        case absent
        /// The next block was damaged. It has been removed from the index.
        case damaged
        /// The next block was damaged and can't be repaired, because the kernel may be reading the file: remove the
        /// object.
        case damagedForGood
    }

    /// Reads contiguous blocks, and checks them.
    ///
    /// - Parameters:
    ///   - buffers: The targets, each as long as its block.
    ///   - index: The first block.
    /// - Returns: The number of right blocks, from the first one on.
    func readRight(
        into buffers: [UnsafeMutableRawBufferPointer], from index: Int
    ) -> (rightCount: Int, end: ReadEnd) {
        let entries = (try? entries(index..<index + buffers.count)) ?? []
        let count = entries.firstIndex(of: 0) ?? entries.count
        guard count > 0 else { return (0, .absent) }
        let readCount = (try? data.read(into: Array(buffers[..<count]), at: index * Block.byteCount)) ?? 0
        for offset in 0..<count {
            let end = identity.bytes(ofBlock: index + offset).upperBound - index * Block.byteCount
            if readCount >= end, isRight(buffers[offset], at: index + offset, by: entries[offset]) { continue }
            let finding = readAgain(into: buffers[offset], at: index + offset)
            guard finding == .complete else { return (offset, finding) }
        }
        return (count, count < buffers.count ? .absent : .complete)
    }

    /// Rereads a block that wasn't right, while no other process adds to the object or removes from it. If it is still
    /// wrong, it is damaged.
    private func readAgain(into buffer: UnsafeMutableRawBufferPointer, at index: Int) -> ReadEnd {
        let end = try? locked(.exclusive, timeout: ObjectFiles.readLockTimeout) { _ throws(Errno) -> ReadEnd in
            let entry = try entries(index..<index + 1)[0]
            guard entry != 0 else { return .absent }
            let count = (try? data.read(into: buffer, at: index * Block.byteCount)) ?? 0
            if count == buffer.count, isRight(buffer, at: index, by: entry) { return .complete }
            if try isSealed() { return .damagedForGood }
            // A read-only disk refuses this; the block is then found wrong again.
            try? setEntries([0], from: index)
            return .damaged
        }
        return end ?? .absent
    }

    private func isRight(_ bytes: UnsafeMutableRawBufferPointer, at index: Int, by entry: UInt64) -> Bool {
        identity.checksum(UnsafeRawBufferPointer(bytes), ofBlock: index) == entry
    }

    /// The timeout for a lock that is held while a batch of blocks is written.
    private static let readLockTimeout: Duration = .seconds(1)
}
