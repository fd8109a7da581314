import Glibc
import Synchronization
import struct SystemPackage.Errno
import struct SystemPackage.FilePath

/// The directory of a disk cache, accessible to its owner only. It contains `usage` and, for each object, two files in
/// `objects/xx/`, where *xx* is the beginning of their name.
///
/// Files are created and removed under the lock of the directory that contains them, so that a data file and an index
/// that are opened together belong together. The lock is held for a few system calls only.
final class CacheDirectory: Sendable {
    /// The path of the directory.
    let path: FilePath
    /// The shared record of the cache's disk usage.
    let usage: DiskUsage
    /// The directory itself.
    let root: LocalFile
    /// The file system that contains it.
    let fileSystem: CacheFileSystem
    /// The lock against other machines, while the directory is in use; `nil` if they have no access to it.
    private let machineLock = Mutex<MachineLock?>(nil)

    /// Opens the directory `path`, which must be safe.
    init(opening path: FilePath) throws(DiskCacheError) {
        self.path = path
        (root, fileSystem) = try CacheDirectory.openChecked(path)
        usage = DiskUsage(in: root)
    }

    /// Creates the directory and its missing parents, and opens it.
    convenience init(making path: FilePath) throws(DiskCacheError) {
        var made = FilePath(root: path.root, [])
        for component in path.components {
            made.append(component)
            // Opening the directory reports any failure better.
            mkdir(made.string, 0o700)
        }
        try self.init(opening: path)
        let content: Content
        do throws(Errno) {
            content = try self.content()
        } catch {
            throw .unusable(path, error)
        }
        // Most likely a slip: users don't want cache files among their own.
        if content == .somethingElse { throw .notACache(path) }
        if fileSystem.isShared { try lockOutOtherMachines() }
    }

    /// Excludes other machines if locks allow it: for commands that change a cache which a mount on another machine may
    /// use.
    func lockOutOtherMachinesIfPossible() throws(DiskCacheError) {
        if fileSystem.isShared, fileSystem.hasSharedLocks { try lockOutOtherMachines() }
    }

    private func lockOutOtherMachines() throws(DiskCacheError) {
        guard fileSystem.hasSharedLocks else { throw .sharedWithoutLocks(path, type: fileSystem.type) }
        do throws(Errno) {
            let lock = try MachineLock(in: root)
            machineLock.withLock { $0 = lock }
        } catch .resourceTemporarilyUnavailable {
            throw .anotherMachines(path)
        } catch {
            let isWithoutLocks = [ENOLCK, ENOTSUP, EOPNOTSUPP, ENOSYS, EINVAL].contains(error.rawValue)
            throw isWithoutLocks ? .sharedWithoutLocks(path, type: fileSystem.type) : .unusable(path, error)
        }
    }

    private static func openChecked(_ path: FilePath) throws(DiskCacheError) -> (LocalFile, CacheFileSystem) {
        /// The directory itself.
        let root: LocalFile
        let status: FileStatus
        let fileSystem: CacheFileSystem
        do throws(Errno) {
            root = try LocalFile(path.string, O_RDONLY | O_DIRECTORY)
            status = try root.status()
            fileSystem = CacheFileSystem(of: root)
            // Without these there is at most a `MachineLock`.
            if !fileSystem.isShared { try root.checkLocking() }
        } catch {
            let found = LocalFile.status(ofPath: path.string)
            if found?.isSymbolicLink == true { throw .symbolicLink(path) }
            throw found?.isDirectory == false ? .notADirectory(path) : .unusable(path, error)
        }
        guard status.owner == geteuid() else { throw .anotherUsers(path, owner: status.owner) }
        guard status.mode & 0o022 == 0 else { throw .writableByOthers(path, mode: status.mode) }
        return (root, fileSystem)
    }

    /// `true` if the directory has been removed.
    var isGone: Bool {
        (try? root.status())?.linkCount ?? 0 == 0
    }

    /// Returns the space available to us on the file system, and the size of the file system.
    func room() throws(Errno) -> (freeByteCount: Int, byteCount: Int) {
        try root.room()
    }

    // MARK: Shards

    /// The name of the directory of the objects.
    static let objects = "objects"

    /// The timeout for the lock of a shard. It is held for some microseconds, unless its process is stopped meanwhile.
    private static let shardLockTimeout: Duration = .milliseconds(100)

    /// Opens the shard directory of the files `name`. Returns `nil` if it is missing or another process keeps its lock;
    /// the caller then proceeds without it.
    func freeShard(of name: String, locked sharing: LocalFile.Sharing) throws(Errno) -> LocalFile? {
        do throws(Errno) {
            return try shard(of: name, locked: sharing)
        } catch .resourceTemporarilyUnavailable {
            return nil
        }
    }

    /// Opens the shard directory of the files `name`; `nil` if it is missing.
    private func shard(of name: String, locked sharing: LocalFile.Sharing) throws(Errno) -> LocalFile? {
        do throws(Errno) {
            let shard = try LocalFile("\(CacheDirectory.objects)/\(name.prefix(2))", in: root, O_RDONLY | O_DIRECTORY)
            guard shard.lock(sharing, timeout: CacheDirectory.shardLockTimeout) else {
                throw Errno.resourceTemporarilyUnavailable
            }
            return shard
        } catch .noSuchFileOrDirectory {
            return nil
        }
    }

    /// Opens the shard directory of the files `name`, and creates it if needed.
    private func madeShard(of name: String) throws(Errno) -> LocalFile {
        if let shard = try shard(of: name, locked: .exclusive) { return shard }
        try root.makeDirectory(CacheDirectory.objects)
        try root.makeDirectory("\(CacheDirectory.objects)/\(name.prefix(2))")
        usage.add(CacheDirectory.shardByteCount)
        guard let shard = try shard(of: name, locked: .exclusive) else { throw .noSuchFileOrDirectory }
        return shard
    }

    /// The disk usage of a new directory on most file systems. The next count corrects it.
    private static let shardByteCount = 4096

    // MARK: Objects

    /// Opens the files of `identity` if they exist and are valid.
    func open(_ identity: CacheIdentity) throws(Errno) -> ObjectFiles? {
        // This check comes first because a miss is the usual case.
        guard try holds(identity.name + ObjectFiles.indexSuffix) else { return nil }
        guard let shard = try freeShard(of: identity.name, locked: .shared) else { return nil }
        guard case .files(let files) = try ObjectFiles.open(identity, in: shard) else { return nil }
        return files
    }

    private func holds(_ file: String) throws(Errno) -> Bool {
        try root.status(of: "\(CacheDirectory.objects)/\(file.prefix(2))/\(file)") != nil
    }

    /// Opens the files of `identity`. Creates them if they are missing or invalid.
    func make(_ identity: CacheIdentity) throws(Errno) -> (files: ObjectFiles, wasInvalid: Bool) {
        let shard = try madeShard(of: identity.name)
        switch try ObjectFiles.open(identity, in: shard) {
        case .files(let files): return (files, false)
        case .nothing: return (try makeNew(identity, in: shard), false)
        case .invalid: return (try makeNew(identity, in: shard), true)
        }
    }

    private func makeNew(_ identity: CacheIdentity, in shard: LocalFile) throws(Errno) -> ObjectFiles {
        let files = try ObjectFiles.make(identity, in: shard)
        usage.add(
            try files.data.status().allocatedByteCount + allocation(of: IndexHeader.indexByteCount(for: identity)))
        return files
    }

    /// Returns the data file of `files` for direct reads; `nil` if it has been removed. An error says nothing about the
    /// file.
    func completeFile(of files: ObjectFiles) throws(Errno) -> CompleteFile? {
        guard let shard = try shard(of: files.identity.name, locked: .shared) else { return nil }
        return try files.openForReading(in: shard)
    }

    /// Removes the names of `files` if they still refer to these files. Processes that have them open continue. A
    /// pinned object stays pinned: empty files take the place of these.
    func remove(_ files: ObjectFiles) throws(Errno) {
        guard let shard = try freeShard(of: files.identity.name, locked: .exclusive) else { return }
        let name = files.identity.name
        guard try shard.status(of: name + ObjectFiles.indexSuffix)?.inode == files.index.status().inode else { return }
        let isPinned = (try? files.isPinned()) ?? false
        try unlink(name, in: shard)
        if isPinned { try makeNew(files.identity, in: shard).setPinned(true) }
    }

    /// Removes the files of `name`.
    ///
    /// - Parameters:
    ///   - evenIfUsed: Also removes files that are open; their users continue as if the files were there.
    ///   - lastUse: Removes the files only if they were not used since this time and are not pinned.
    /// - Returns: The disk space they used; `nil` if they were not removed.
    func remove(_ name: String, evenIfUsed: Bool, lastUse: UInt64? = nil) throws(Errno) -> Int? {
        guard let shard = try freeShard(of: name, locked: .exclusive) else { return nil }
        // NFS grants an exclusive lock only for a file that is open for writing.
        if !evenIfUsed, let data = try? LocalFile(name + ObjectFiles.dataSuffix, in: shard, O_RDWR | O_NONBLOCK) {
            guard data.lock(.exclusive) else { return nil }
        }
        if let lastUse, let index = try? LocalFile(name + ObjectFiles.indexSuffix, in: shard, O_RDONLY | O_NONBLOCK) {
            guard let header = try IndexHeader(of: index), header.lastUse == lastUse, !header.isPinned else {
                return nil
            }
        }
        return try unlink(name, in: shard)
    }

    /// Removes the files of `name`. The caller holds the lock of `shard` exclusively.
    ///
    /// - Returns: The disk space they used.
    @discardableResult
    func unlink(_ name: String, in shard: LocalFile) throws(Errno) -> Int {
        let begin = usage.account
        var byteCount = 0
        // The index first: a data file without an index is meaningless.
        for suffix in [ObjectFiles.indexSuffix, ObjectFiles.dataSuffix, ObjectFiles.newIndexSuffix] {
            // A directory is never one of our files, whatever its name.
            guard let status = try shard.status(of: name + suffix), !status.isDirectory else { continue }
            byteCount += status.allocatedByteCount
            try shard.unlink(name + suffix)
        }
        usage.takeOff(byteCount, since: begin)
        return byteCount
    }
}
