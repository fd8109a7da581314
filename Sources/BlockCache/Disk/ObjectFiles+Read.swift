import struct SystemPackage.Errno

extension ObjectFiles {
    /// Why reading blocks ended.
    enum ReadEnd {
        /// With the last one that was asked for.
        case complete
        /// The next block isn't there, or not any more.
        case absent
        /// The next block was not what it should be. It is no longer in the index.
        case damaged
        /// So it was, and it can't be mended, because the kernel may be reading the file: the object is to be removed.
        case damagedForGood
    }

    /// Reads adjoining blocks, and checks them.
    ///
    /// - Parameters:
    ///   - buffers: Where to, each as long as its block.
    ///   - index: The first block.
    /// - Returns: How many of them are right, from the first one on.
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

    /// Reads a block again that wasn't right, now that nobody adds to the object or takes from it. If it is still wrong it is
    /// damaged.
    private func readAgain(into buffer: UnsafeMutableRawBufferPointer, at index: Int) -> ReadEnd {
        let end = try? locked(.exclusive, patience: ObjectFiles.readPatience) { _ throws(Errno) -> ReadEnd in
            let entry = try entries(index..<index + 1)[0]
            guard entry != 0 else { return .absent }
            let count = (try? data.read(into: buffer, at: index * Block.byteCount)) ?? 0
            if count == buffer.count, isRight(buffer, at: index, by: entry) { return .complete }
            if try isSealed() { return .damagedForGood }
            // Refused by a disk that is read-only now; the block is found wrong again then.
            try? setEntries([0], from: index)
            return .damaged
        }
        return end ?? .absent
    }

    private func isRight(_ bytes: UnsafeMutableRawBufferPointer, at index: Int, by entry: UInt64) -> Bool {
        identity.checksum(UnsafeRawBufferPointer(bytes), ofBlock: index) == entry
    }

    /// How long to wait for a lock that is held while a batch of blocks is written.
    private static let readPatience: Duration = .seconds(1)
}
