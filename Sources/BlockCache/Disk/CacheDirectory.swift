import Glibc
import Synchronization
import struct SystemPackage.Errno
import struct SystemPackage.FilePath

/// The directory of a disk cache, which is its owner's alone: `usage`, and an object's two files in
/// `objects/xx/`, where *xx* is how their name begins.
///
/// Files appear and go under the lock of the directory that they are in, so that a data file and an index that are opened
/// together belong together. It is held for a few system calls only.
final class CacheDirectory: Sendable {
    /// Where it is.
    let path: FilePath
    /// How much all of it takes on the disk.
    let usage: DiskUsage
    /// The directory itself.
    let root: LocalFile
    /// The file system that it lies in.
    let fileSystem: CacheFileSystem
    /// Keeps other machines from it, where it is used and they could use it too.
    private let machineLock = Mutex<MachineLock?>(nil)

    /// Opens the directory `path`, which must be safe.
    init(opening path: FilePath) throws(DiskCacheError) {
        self.path = path
        (root, fileSystem) = try CacheDirectory.openChecked(path)
        usage = DiskUsage(in: root)
    }

    /// Makes the directory and those above it, where they aren't there yet, and opens it.
    convenience init(making path: FilePath) throws(DiskCacheError) {
        var made = FilePath(root: path.root, [])
        for component in path.components {
            made.append(component)
            // Whatever goes wrong here is told better by opening it.
            mkdir(made.string, 0o700)
        }
        try self.init(opening: path)
        let content: Content
        do throws(Errno) {
            content = try self.content()
        } catch {
            throw .unusable(path, error)
        }
        // Most likely a slip: nobody wants our files among theirs.
        if content == .somethingElse { throw .notACache(path) }
        if fileSystem.isShared { try lockOutOtherMachines() }
    }

    private func lockOutOtherMachines() throws(DiskCacheError) {
        guard fileSystem.hasSharedLocks else { throw .sharedWithoutLocks(path, type: fileSystem.type) }
        do throws(Errno) {
            let lock = try MachineLock(in: root)
            machineLock.withLock { $0 = lock }
        } catch .resourceTemporarilyUnavailable {
            throw .anotherMachines(path)
        } catch {
            throw .sharedWithoutLocks(path, type: fileSystem.type)
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
            // Without these there is a `MachineLock` at the most.
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

    /// Whether somebody has removed the directory.
    var isGone: Bool {
        (try? root.status())?.linkCount ?? 0 == 0
    }

    /// How much room there is for us on its file system, and how much it has in all.
    func room() throws(Errno) -> (freeByteCount: Int, byteCount: Int) {
        try root.room()
    }

    // MARK: Shards

    /// What the directory of the objects is called.
    static let objects = "objects"

    /// How long to wait for the lock of a shard. It is held for some microseconds, unless its process was stopped
    /// meanwhile.
    private static let shardPatience: Duration = .milliseconds(100)

    /// Opens the directory that the files `name` lie in; `nil` if there is none, or another process won't let go of its
    /// lock: then one does without.
    func freeShard(of name: String, locked sharing: LocalFile.Sharing) throws(Errno) -> LocalFile? {
        do throws(Errno) {
            return try shard(of: name, locked: sharing)
        } catch .resourceTemporarilyUnavailable {
            return nil
        }
    }

    /// Opens the directory that the files `name` lie in; `nil` if there is none.
    private func shard(of name: String, locked sharing: LocalFile.Sharing) throws(Errno) -> LocalFile? {
        do throws(Errno) {
            let shard = try LocalFile("\(CacheDirectory.objects)/\(name.prefix(2))", in: root, O_RDONLY | O_DIRECTORY)
            guard shard.lock(sharing, patience: CacheDirectory.shardPatience) else {
                throw Errno.resourceTemporarilyUnavailable
            }
            return shard
        } catch .noSuchFileOrDirectory {
            return nil
        }
    }

    /// The same, after making it where there is none.
    private func madeShard(of name: String) throws(Errno) -> LocalFile {
        if let shard = try shard(of: name, locked: .exclusive) { return shard }
        try root.makeDirectory(CacheDirectory.objects)
        try root.makeDirectory("\(CacheDirectory.objects)/\(name.prefix(2))")
        usage.add(CacheDirectory.shardByteCount)
        guard let shard = try shard(of: name, locked: .exclusive) else { throw .noSuchFileOrDirectory }
        return shard
    }

    /// What a new directory takes on most file systems. The next count knows better.
    private static let shardByteCount = 4096

    // MARK: Objects

    /// Opens the files of `identity`, if there are any and they are in order.
    func open(_ identity: CacheIdentity) throws(Errno) -> ObjectFiles? {
        // Before anything else, because it is the usual case.
        guard try holds(identity.name + ObjectFiles.indexSuffix) else { return nil }
        guard let shard = try freeShard(of: identity.name, locked: .shared) else { return nil }
        guard case .files(let files) = try ObjectFiles.open(identity, in: shard) else { return nil }
        return files
    }

    private func holds(_ file: String) throws(Errno) -> Bool {
        try root.status(of: "\(CacheDirectory.objects)/\(file.prefix(2))/\(file)") != nil
    }

    /// Opens the files of `identity`, or makes them, where there are none or what is there is nonsense.
    func make(_ identity: CacheIdentity) throws(Errno) -> (files: ObjectFiles, wasNonsense: Bool) {
        let shard = try madeShard(of: identity.name)
        switch try ObjectFiles.open(identity, in: shard) {
        case .files(let files): return (files, false)
        case .nothing: return (try makeNew(identity, in: shard), false)
        case .nonsense: return (try makeNew(identity, in: shard), true)
        }
    }

    private func makeNew(_ identity: CacheIdentity, in shard: LocalFile) throws(Errno) -> ObjectFiles {
        let files = try ObjectFiles.make(identity, in: shard)
        usage.add(
            try files.data.status().allocatedByteCount + allocation(of: IndexHeader.indexByteCount(for: identity)))
        return files
    }

    /// The data file of `files` for whoever reads it without us; `nil` if it has been removed. An error says nothing of it.
    func completeFile(of files: ObjectFiles) throws(Errno) -> CompleteFile? {
        guard let shard = try shard(of: files.identity.name, locked: .shared) else { return nil }
        return try files.openForReading(in: shard)
    }

    /// Takes the names of `files` away, if they still are theirs. Who has them open goes on. An object that isn't evicted stays
    /// one: empty files take the place of these.
    func remove(_ files: ObjectFiles) throws(Errno) {
        guard let shard = try freeShard(of: files.identity.name, locked: .exclusive) else { return }
        let name = files.identity.name
        guard try shard.status(of: name + ObjectFiles.indexSuffix)?.inode == files.index.status().inode else { return }
        let isKept = (try? files.isKept()) ?? false
        try unlink(name, in: shard)
        if isKept { try makeNew(files.identity, in: shard).setKept(true) }
    }

    /// Takes the files of `name` away.
    ///
    /// - Parameters:
    ///   - evenIfUsed: Also if somebody has them open, who goes on then as if they were there.
    ///   - lastUse: Only if they were not used since, and may be evicted.
    /// - Returns: What they took on the disk; `nil` if they are still there.
    func remove(_ name: String, evenIfUsed: Bool, lastUse: UInt64? = nil) throws(Errno) -> Int? {
        guard let shard = try freeShard(of: name, locked: .exclusive) else { return nil }
        // NFS gives an exclusive lock only of a file that is open for writing.
        if !evenIfUsed, let data = try? LocalFile(name + ObjectFiles.dataSuffix, in: shard, O_RDWR | O_NONBLOCK) {
            guard data.lock(.exclusive) else { return nil }
        }
        if let lastUse, let index = try? LocalFile(name + ObjectFiles.indexSuffix, in: shard, O_RDONLY | O_NONBLOCK) {
            guard let header = try IndexHeader(of: index), header.lastUse == lastUse, !header.isKept else { return nil }
        }
        return try unlink(name, in: shard)
    }

    /// Takes the files of `name` away. The caller holds the lock of `shard` exclusively.
    ///
    /// - Returns: What they took on the disk.
    @discardableResult
    func unlink(_ name: String, in shard: LocalFile) throws(Errno) -> Int {
        let begin = usage.account
        var byteCount = 0
        // The index first: without it a data file is nothing.
        for suffix in [ObjectFiles.indexSuffix, ObjectFiles.dataSuffix, ObjectFiles.newIndexSuffix] {
            // A directory is none of ours, whatever it is called.
            guard let status = try shard.status(of: name + suffix), !status.isDirectory else { continue }
            byteCount += status.allocatedByteCount
            try shard.unlink(name + suffix)
        }
        usage.takeOff(byteCount, since: begin)
        return byteCount
    }
}
