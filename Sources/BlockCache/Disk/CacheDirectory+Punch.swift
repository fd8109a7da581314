import struct SystemPackage.Errno

extension CacheDirectory {
    /// Frees blocks of an object that isn't sealed, oldest writes first.
    ///
    /// - Returns: The number of bytes freed.
    func punch(_ name: String, _ byteCount: Int) throws(Errno) -> Int {
        guard let files = try openExisting(name) else { return 0 }
        return try files.locked(.exclusive, timeout: CacheDirectory.punchLockTimeout) { _ throws(Errno) in
            guard try !files.isSealed(), let header = try IndexHeader(of: files.index), !header.isPinned else {
                return 0
            }
            let begin = usage.account
            let before = try files.data.status().allocatedByteCount
            try files.punch(byteCount, from: header.punchIndex)
            let freed = max(before - (try files.data.status().allocatedByteCount), 0)
            usage.takeOff(freed, since: begin)
            return freed
        } ?? 0
    }

    /// The time that writing a batch may take on a slow disk.
    private static let punchLockTimeout: Duration = .milliseconds(500)

    /// Opens the files `name`, of any object identity.
    func openExisting(_ name: String) throws(Errno) -> ObjectFiles? {
        guard let shard = try freeShard(of: name, locked: .shared), let found = try CachedFiles(name, in: shard),
            case .files(let files) = try ObjectFiles.open(found.header.identity, in: shard)
        else { return nil }
        return files
    }
}

extension ObjectFiles {
    /// Frees blocks from `index` on, wrapping around at the end. This is about the order in which they were written,
    /// since objects of this size are read front to back. The caller holds the index's lock exclusively.
    fileprivate func punch(_ byteCount: Int, from index: Int) throws(Errno) {
        var next = index < identity.blockCount ? index : 0
        var freed = 0
        var seen = 0
        while freed < byteCount, seen < identity.blockCount {
            let end = min(next + ObjectFiles.punchBlockCount, identity.blockCount)
            let present = try withEntries(next..<end) { $0.count { $0 != 0 } }
            if present > 0 {
                // The entries first: a reader that finds a hole then also finds the block absent.
                try setEntries(Array(repeating: 0, count: end - next), from: next)
                try data.punchHole(next * Block.byteCount..<end * Block.byteCount)
                freed += present * Block.byteCount
            }
            seen += end - next
            next = end == identity.blockCount ? 0 : end
        }
        try self.index.write([UInt32(truncatingIfNeeded: next)], at: IndexHeader.punchOffset)
    }

    /// The number of blocks that are punched at once: 1 MiB.
    private static let punchBlockCount = 8
}
