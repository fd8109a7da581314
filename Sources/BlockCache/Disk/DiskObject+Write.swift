import BitCollections
import Glibc
import struct SystemPackage.Errno

extension DiskObject {
    /// Writes the absent ones of `blocks`, which are in ascending order.
    ///
    /// - Returns: The number of bytes used on the disk; `nil` if another process holds the lock of these files.
    func write(_ blocks: [IndexedBlock], in directory: CacheDirectory) throws(Errno) -> Int? {
        let files = try filesForWriting(in: directory)
        // The holder of the lock removes blocks or seals: not the time to add blocks.
        return try files.locked(.shared, timeout: .zero) { ownWrites throws(Errno) in
            if try files.look() != ownWrites.look { ownWrites.blocks = [] }
            var byteCount = 0
            for run in DiskObject.runs(of: blocks) {
                byteCount += try files.writeAbsent(run, noting: &ownWrites)
            }
            ownWrites.look = try files.look()
            return byteCount
        }
    }

    /// Splits `blocks` into contiguous runs.
    private static func runs(of blocks: [IndexedBlock]) -> [ArraySlice<IndexedBlock>] {
        var runs: [ArraySlice<IndexedBlock>] = []
        var start = 0
        for end in 1...max(blocks.count, 1) where end == blocks.count || blocks[end].index != blocks[end - 1].index + 1
        {
            runs.append(blocks[start..<end])
            start = end
        }
        return runs
    }
}

extension ObjectFiles {
    /// Writes the absent ones of these contiguous blocks: first the bytes, then the index entries.
    fileprivate func writeAbsent(
        _ run: ArraySlice<IndexedBlock>, noting ownWrites: inout OwnWrites
    ) throws(Errno) -> Int {
        guard let first = run.first?.index else { return 0 }
        let entries = try entries(first..<first + run.count)
        var byteCount = 0
        for absent in entries.indices.split(whereSeparator: { entries[$0] != 0 }) {
            let blocks = run.dropFirst(absent.startIndex).prefix(absent.count)
            byteCount += try write(blocks, noting: &ownWrites)
        }
        return byteCount
    }

    private func write(_ blocks: ArraySlice<IndexedBlock>, noting ownWrites: inout OwnWrites) throws(Errno) -> Int {
        guard let first = blocks.first?.index else { return 0 }
        let buffers = blocks.map { $0.block.bytes(0..<identity.bytes(ofBlock: $0.index).count) }
        let start = first * Block.byteCount
        try data.write(buffers, at: start)
        try data.beginWritingOut(start..<start + buffers.reduce(0) { $0 + $1.count })
        try setEntries(
            zip(blocks, buffers).map { identity.checksum($1, ofBlock: $0.index) }, from: first)
        for block in blocks { ownWrites.blocks.insert(block.index) }
        return buffers.reduce(0) { $0 + allocation(of: $1.count) }
    }
}
