import BitCollections
import Glibc
import Synchronization
import struct SystemPackage.Errno
import struct SystemPackage.FileDescriptor

/// The two open files of one object version: its bytes, at the object's own offsets, and the index, which records the
/// present blocks and their checksums.
///
/// Trust: an entry of the index only states the checksum that a block's bytes must have. So every block that is read is
/// checked, which detects partial writes of a crash and changes by other programs.
///
/// Locks between processes (flock(2)): the *data* file is locked shared while it is open here; a process that wants to
/// remove an unused object takes this lock exclusively. The *index* is locked shared during a write of blocks, and
/// exclusively to remove blocks or to seal. Threads of this process are serialized by `ownWrites`.
final class ObjectFiles: Sendable {
    /// The identity of the object.
    let identity: CacheIdentity
    /// The object's bytes, with holes.
    let data: LocalFile
    /// The header and the checksums.
    let index: LocalFile

    /// The blocks that this process knows to be right without rereading them, since it wrote them itself.
    struct OwnWrites {
        var blocks: BitSet = []
        /// The state of the data file after the last write. If it differs before the next write, another process has
        /// written too.
        var look: SealRecord?
    }

    private let ownWrites: Mutex<OwnWrites>
    private let entriesOffset: Int

    private init(identity: CacheIdentity, data: LocalFile, index: LocalFile, look: SealRecord?) {
        self.identity = identity
        self.data = data
        self.index = index
        self.ownWrites = Mutex(OwnWrites(look: look))
        self.entriesOffset = IndexHeader.byteCount(for: identity)
    }

    // MARK: Opening and creating. The caller holds the lock of the directory.

    /// The suffixes of an object's files; the last one is for an index that is being created.
    static let dataSuffix = ".data"
    static let indexSuffix = ".index"
    static let newIndexSuffix = ".new"

    /// The result of `open`.
    enum Found {
        case files(ObjectFiles)
        case nothing
        /// Invalid files.
        case invalid
    }

    /// Opens the files of `identity` in the directory `shard`.
    static func open(_ identity: CacheIdentity, in shard: LocalFile) throws(Errno) -> Found {
        do throws(Errno) {
            let index = try openForWriting(identity.name + indexSuffix, in: shard)
            let data = try openForWriting(identity.name + dataSuffix, in: shard)
            guard try IndexHeader(of: index)?.identity == identity,
                try data.status().byteCount == identity.byteCount,
                data.lock(.shared)
            else { return .invalid }
            return .files(ObjectFiles(identity: identity, data: data, index: index, look: nil))
        } catch .noSuchFileOrDirectory {
            return .nothing
        } catch  where invalidFileErrors.contains(error) {
            return .invalid
        }
    }

    /// The errors from opening a file that isn't one of ours: unreadable, a symbolic link, a directory, a socket, a
    /// pipe.
    static let invalidFileErrors: [Errno] = [
        .permissionDenied, .tooManySymbolicLinkLevels, .isDirectory, .noSuchAddressOrDevice, .illegalSeek,
    ]

    /// Falls back to reading only, because existing blocks stay usable on a disk that became read-only.
    private static func openForWriting(_ name: String, in shard: LocalFile) throws(Errno) -> LocalFile {
        do throws(Errno) {
            return try LocalFile(name, in: shard, O_RDWR | O_NONBLOCK)
        } catch .readOnlyFileSystem {
            return try LocalFile(name, in: shard, O_RDONLY | O_NONBLOCK)
        }
    }

    /// Creates new files in the directory `shard`, replacing existing ones. The index gets its name last, once its
    /// header is complete.
    static func make(_ identity: CacheIdentity, in shard: LocalFile) throws(Errno) -> ObjectFiles {
        let newName = identity.name + newIndexSuffix
        for suffix in [indexSuffix, dataSuffix, newIndexSuffix] { try shard.unlink(identity.name + suffix) }
        let data = try LocalFile(identity.name + dataSuffix, in: shard, O_RDWR | O_CREAT | O_EXCL)
        guard data.lock(.shared) else { throw .resourceTemporarilyUnavailable }
        try data.truncate(to: identity.byteCount)
        let index = try LocalFile(newName, in: shard, O_RDWR | O_CREAT | O_EXCL)
        try index.write(IndexHeader.bytes(for: identity, lastUse: IndexHeader.now), at: 0)
        try index.truncate(to: IndexHeader.indexByteCount(for: identity))
        try shard.rename(newName, to: identity.name + indexSuffix)
        return ObjectFiles(identity: identity, data: data, index: index, look: SealRecord(try data.status()))
    }

    // MARK: The index

    /// Calls `body` with the index entries of the blocks `indices`; 0 for an absent block.
    func withEntries<R>(_ indices: Range<Int>, _ body: (UnsafeBufferPointer<UInt64>) -> R) throws(Errno) -> R {
        var failure: Errno?
        let result = withUnsafeTemporaryAllocation(of: UInt64.self, capacity: indices.count) { entries -> R in
            entries.initialize(repeating: 0)
            do throws(Errno) {
                _ = try index.read(
                    into: UnsafeMutableRawBufferPointer(entries), at: entriesOffset + 8 * indices.lowerBound)
            } catch {
                failure = error
            }
            return body(UnsafeBufferPointer(entries))
        }
        if let failure { throw failure }
        return result
    }

    /// Returns the index entries of the blocks `indices`.
    func entries(_ indices: Range<Int>) throws(Errno) -> [UInt64] {
        try withEntries(indices) { Array($0) }
    }

    /// Sets the index entries from `index` on to these checksums; 0 marks an absent block.
    func setEntries(_ entries: [UInt64], from index: Int) throws(Errno) {
        try self.index.write(entries, at: entriesOffset + 8 * index)
    }

    /// Returns the first absent block from `index` on; `nil` if all are present.
    func firstAbsent(from index: Int) throws(Errno) -> Int? {
        var index = index
        while index < identity.blockCount {
            let chunk = index..<min(index + ObjectFiles.entryChunkCount, identity.blockCount)
            if let absent = try withEntries(chunk, { $0.firstIndex(of: 0) }) { return index + absent }
            index = chunk.upperBound
        }
        return nil
    }

    /// Calls `body` with the index of every present block.
    func forEachPresent(_ body: (Int) -> Void) throws(Errno) {
        for start in stride(from: 0, to: identity.blockCount, by: ObjectFiles.entryChunkCount) {
            let chunk = start..<min(start + ObjectFiles.entryChunkCount, identity.blockCount)
            for (offset, entry) in try entries(chunk).enumerated() where entry != 0 { body(start + offset) }
        }
    }

    /// Returns the number of cached bytes of the object.
    func cachedByteCount() throws(Errno) -> Int {
        var byteCount = 0
        try forEachPresent { byteCount += identity.bytes(ofBlock: $0).count }
        return byteCount
    }

    /// The number of entries per read of the whole index: 4 KiB of the index, 64 MiB of the object.
    static let entryChunkCount = 512

    /// Returns `true` if a seal was ever written. From then on the data file is never changed, only removed: the kernel
    /// may be reading it.
    func isSealed() throws(Errno) -> Bool {
        try index.read(SealRecord.byteCount, at: IndexHeader.sealOffset).contains { $0 != 0 }
    }

    /// Returns `true` if the object is pinned.
    func isPinned() throws(Errno) -> Bool {
        IndexHeader.isPinned(
            try index.read(IndexHeader.sealOffset - IndexHeader.pinnedOffset, at: IndexHeader.pinnedOffset))
    }

    /// Pins or unpins the object.
    func setPinned(_ isPinned: Bool) throws(Errno) {
        try index.write(IndexHeader.pinnedBytes(isPinned), at: IndexHeader.pinnedOffset)
    }

    /// Sets the last use in the index to now.
    func setLastUse() throws(Errno) {
        try index.write(IndexHeader.bytes(IndexHeader.now), at: IndexHeader.lastUseOffset)
    }

    /// Returns `true` if the data file is unchanged since it was sealed in this boot.
    func holdsSeal() throws(Errno) -> Bool {
        let bytes = try index.read(SealRecord.byteCount, at: IndexHeader.sealOffset)
        guard let seal = SealRecord(bytes, of: identity) else { return false }
        return seal == (try look())
    }

    /// Returns the current state of the data file.
    func look() throws(Errno) -> SealRecord {
        SealRecord(try data.status())
    }

    /// Returns `true` if the directory still contains these files, and the data file has the right size.
    func isIntact() throws(Errno) -> Bool {
        let status = try data.status()
        guard status.linkCount > 0, status.byteCount == identity.byteCount else { return false }
        return try index.status().linkCount > 0
    }

    // MARK: Locks

    /// Calls `body` with the index locked, also against other threads.
    ///
    /// - Parameter timeout: The timeout; zero for optional work.
    /// - Returns: The result of `body`; `nil` if the lock was not available.
    func locked<R>(
        _ sharing: LocalFile.Sharing, timeout: Duration, _ body: (inout OwnWrites) throws(Errno) -> R
    ) throws(Errno) -> R? {
        try ownWrites.withLock { ownWrites throws(Errno) in
            guard index.lock(sharing, timeout: timeout) else { return nil }
            defer { index.unlock() }
            return try body(&ownWrites)
        }
    }

    /// Returns the state of the data file, and the blocks that can't have been changed by others since this process
    /// wrote them.
    func ownBlocks() throws(Errno) -> (look: SealRecord, blocks: BitSet) {
        try ownWrites.withLock { ownWrites throws(Errno) in
            let look = try look()
            return (look, look == ownWrites.look ? ownWrites.blocks : [])
        }
    }

    // MARK: Handing over

    /// Reopens the data file, read-only and locked like `data`; `nil` if it is no longer in `shard`.
    func openForReading(in shard: LocalFile) throws(Errno) -> CompleteFile? {
        let descriptor: CInt
        do throws(Errno) {
            descriptor = try LocalFile.openDescriptor(identity.name + ObjectFiles.dataSuffix, in: shard, O_RDONLY)
        } catch  where error == .noSuchFileOrDirectory || ObjectFiles.invalidFileErrors.contains(error) {
            return nil
        }
        // Closes the descriptor on early return.
        let file = CompleteFile(takingOwnershipOf: FileDescriptor(rawValue: descriptor))
        let (mine, other) = (try data.status(), try LocalFile.status(of: descriptor))
        guard mine.inode == other.inode, mine.device == other.device, LocalFile.lock(descriptor, .shared) else {
            return nil
        }
        return file
    }
}
