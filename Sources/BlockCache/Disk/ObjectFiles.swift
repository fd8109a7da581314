import BitCollections
import Glibc
import Synchronization
import struct SystemPackage.Errno
import struct SystemPackage.FileDescriptor

/// The two open files of one object version: its bytes, at the object's own offsets, and the index, which says which blocks
/// are there and what their checksums are.
///
/// What may be believed: an entry of the index says only what a block's bytes must be like. So every block that is read is
/// checked, and whatever a crash left half done, or somebody did to the files, is found then.
///
/// Locks between processes (flock(2)). The *data* file is locked shared as long as it is open here: who wants to remove
/// an object that nobody uses takes it exclusively. The *index* is locked shared for the time of a write of blocks, and
/// exclusively by who takes blocks away or seals. Threads of this process take turns at it by `ownWrites`.
final class ObjectFiles: Sendable {
    /// Whose bytes these are.
    let identity: CacheIdentity
    /// The object's bytes, with holes.
    let data: LocalFile
    /// The header and the checksums.
    let index: LocalFile

    /// What this process knows to be right without reading it again, since it wrote it itself.
    struct OwnWrites {
        var blocks: BitSet = []
        /// What the data file looked like after the last write. If it looks different before the next one, somebody else
        /// has written too.
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

    // MARK: Opening and making. The caller holds the lock of the directory.

    /// The suffixes of an object's files; the last one is that of an index that is being made.
    static let dataSuffix = ".data"
    static let indexSuffix = ".index"
    static let newIndexSuffix = ".new"

    /// What `open` finds.
    enum Found {
        case files(ObjectFiles)
        case nothing
        /// Files that are not what they should be.
        case nonsense
    }

    /// Opens what is there of `identity` in the directory `shard`.
    static func open(_ identity: CacheIdentity, in shard: LocalFile) throws(Errno) -> Found {
        do throws(Errno) {
            let index = try openForWriting(identity.name + indexSuffix, in: shard)
            let data = try openForWriting(identity.name + dataSuffix, in: shard)
            guard try IndexHeader(of: index)?.identity == identity,
                try data.status().byteCount == identity.byteCount,
                data.lock(.shared)
            else { return .nonsense }
            return .files(ObjectFiles(identity: identity, data: data, index: index, look: nil))
        } catch .noSuchFileOrDirectory {
            return .nothing
        } catch  where nonsenseErrors.contains(error) {
            return .nonsense
        }
    }

    /// What opening a file says that isn't one of ours: unreadable, a symbolic link, a directory, a
    /// socket, a pipe.
    static let nonsenseErrors: [Errno] = [
        .permissionDenied, .tooManySymbolicLinkLevels, .isDirectory, .noSuchAddressOrDevice, .illegalSeek,
    ]

    /// On a disk that is read-only now, what was written before is of use all the same.
    private static func openForWriting(_ name: String, in shard: LocalFile) throws(Errno) -> LocalFile {
        do throws(Errno) {
            return try LocalFile(name, in: shard, O_RDWR | O_NONBLOCK)
        } catch .readOnlyFileSystem {
            return try LocalFile(name, in: shard, O_RDONLY | O_NONBLOCK)
        }
    }

    /// Makes new files in the directory `shard`, in place of what is there. The index gets its name last, when its header
    /// is whole.
    static func make(_ identity: CacheIdentity, in shard: LocalFile) throws(Errno) -> ObjectFiles {
        let newName = identity.name + newIndexSuffix
        for suffix in [indexSuffix, dataSuffix, newIndexSuffix] { try shard.unlink(identity.name + suffix) }
        let data = try LocalFile(identity.name + dataSuffix, in: shard, O_RDWR | O_CREAT | O_EXCL)
        guard data.lock(.shared) else { throw .resourceTemporarilyUnavailable }
        try data.truncate(to: identity.byteCount)
        let index = try LocalFile(newName, in: shard, O_RDWR | O_CREAT | O_EXCL)
        try index.write(IndexHeader.bytes(for: identity, lastUse: wallClockNanoseconds()), at: 0)
        try index.truncate(to: IndexHeader.indexByteCount(for: identity))
        try shard.rename(newName, to: identity.name + indexSuffix)
        return ObjectFiles(identity: identity, data: data, index: index, look: SealRecord(try data.status()))
    }

    // MARK: The index

    /// Calls `body` with what the index says of the blocks `indices`; 0 for a block that isn't there.
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

    /// What the index says of the blocks `indices`.
    func entries(_ indices: Range<Int>) throws(Errno) -> [UInt64] {
        try withEntries(indices) { Array($0) }
    }

    /// Says in the index that the blocks from `index` on have these checksums, or with 0 that they aren't there.
    func setEntries(_ entries: [UInt64], from index: Int) throws(Errno) {
        try self.index.write(entries, at: entriesOffset + 8 * index)
    }

    /// The first block from `index` on that isn't there; `nil` if all of them are.
    func firstAbsent(from index: Int) throws(Errno) -> Int? {
        var index = index
        while index < identity.blockCount {
            let chunk = index..<min(index + ObjectFiles.entryChunkCount, identity.blockCount)
            if let absent = try withEntries(chunk, { $0.firstIndex(of: 0) }) { return index + absent }
            index = chunk.upperBound
        }
        return nil
    }

    /// Calls `body` with the index of every block that is there.
    func forEachPresent(_ body: (Int) -> Void) throws(Errno) {
        for start in stride(from: 0, to: identity.blockCount, by: ObjectFiles.entryChunkCount) {
            let chunk = start..<min(start + ObjectFiles.entryChunkCount, identity.blockCount)
            for (offset, entry) in try entries(chunk).enumerated() where entry != 0 { body(start + offset) }
        }
    }

    /// How many bytes of the object are there.
    func cachedByteCount() throws(Errno) -> Int {
        var byteCount = 0
        try forEachPresent { byteCount += identity.bytes(ofBlock: $0).count }
        return byteCount
    }

    /// Entries that are read at once where all are: 4 KiB of the index, 64 MiB of the object.
    static let entryChunkCount = 512

    /// Whether a seal was ever written. From then on the data file is never changed again, only removed: it may be in
    /// the kernel's hands.
    func isSealed() throws(Errno) -> Bool {
        try index.read(SealRecord.byteCount, at: IndexHeader.sealOffset).contains { $0 != 0 }
    }

    /// Whether evictions leave the object.
    func isKept() throws(Errno) -> Bool {
        IndexHeader.isKept(try index.read(IndexHeader.sealOffset - IndexHeader.keptOffset, at: IndexHeader.keptOffset))
    }

    /// Has evictions leave the object, or take it like any other.
    func setKept(_ isKept: Bool) throws(Errno) {
        try index.write(IndexHeader.keptBytes(isKept), at: IndexHeader.keptOffset)
    }

    /// Says in the index that the object is in use.
    func setLastUse() throws(Errno) {
        try index.write(IndexHeader.bytes(wallClockNanoseconds()), at: IndexHeader.lastUseOffset)
    }

    /// Whether the data file is as it was when it was sealed, in this boot.
    func holdsSeal() throws(Errno) -> Bool {
        let bytes = try index.read(SealRecord.byteCount, at: IndexHeader.sealOffset)
        guard let seal = SealRecord(bytes, of: identity) else { return false }
        return seal == (try look())
    }

    /// What the data file looks like now.
    func look() throws(Errno) -> SealRecord {
        SealRecord(try data.status())
    }

    /// Whether these are still the files that the directory shows, and the data file has its size.
    func isIntact() throws(Errno) -> Bool {
        let status = try data.status()
        guard status.linkCount > 0, status.byteCount == identity.byteCount else { return false }
        return try index.status().linkCount > 0
    }

    // MARK: Locks

    /// Calls `body` with the index locked, also against other threads.
    ///
    /// - Parameter patience: How long to try; zero for what can as well be left out.
    /// - Returns: What `body` does; `nil` if the lock wasn't to be had.
    func locked<R>(
        _ sharing: LocalFile.Sharing, patience: Duration, _ body: (inout OwnWrites) throws(Errno) -> R
    ) throws(Errno) -> R? {
        try ownWrites.withLock { ownWrites throws(Errno) in
            guard index.lock(sharing, patience: patience) else { return nil }
            defer { index.unlock() }
            return try body(&ownWrites)
        }
    }

    /// What the data file looks like now, and which of its blocks nobody else can have changed since this process wrote them.
    func ownBlocks() throws(Errno) -> (look: SealRecord, blocks: BitSet) {
        try ownWrites.withLock { ownWrites throws(Errno) in
            let look = try look()
            return (look, look == ownWrites.look ? ownWrites.blocks : [])
        }
    }

    // MARK: Handing over

    /// The data file once more, open for reading only and locked like `data`; `nil` if it is no longer in `shard`.
    func openForReading(in shard: LocalFile) throws(Errno) -> CompleteFile? {
        let descriptor: CInt
        do throws(Errno) {
            descriptor = try LocalFile.openDescriptor(identity.name + ObjectFiles.dataSuffix, in: shard, O_RDONLY)
        } catch  where error == .noSuchFileOrDirectory || ObjectFiles.nonsenseErrors.contains(error) {
            return nil
        }
        // Closes the descriptor if it goes no further.
        let file = CompleteFile(takingOwnershipOf: FileDescriptor(rawValue: descriptor))
        let (mine, other) = (try data.status(), try LocalFile.status(of: descriptor))
        guard mine.inode == other.inode, mine.device == other.device, LocalFile.lock(descriptor, .shared) else {
            return nil
        }
        return file
    }
}
