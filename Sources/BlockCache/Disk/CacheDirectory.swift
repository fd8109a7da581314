import Glibc
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
    private let root: LocalFile

    /// Opens the directory `path`, which must be safe.
    init(opening path: FilePath) throws(DiskCacheError) {
        self.path = path
        root = try CacheDirectory.openChecked(path)
        do throws(Errno) {
            usage = try DiskUsage(in: root)
        } catch {
            throw .unusable(path, error)
        }
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
    }

    private static func openChecked(_ path: FilePath) throws(DiskCacheError) -> LocalFile {
        let root: LocalFile
        let status: FileStatus
        do throws(Errno) {
            root = try LocalFile(path.string, O_RDONLY | O_DIRECTORY)
            status = try root.status()
        } catch {
            let found = LocalFile.status(ofPath: path.string)
            if found?.isSymbolicLink == true { throw .symbolicLink(path) }
            throw found?.isDirectory == false ? .notADirectory(path) : .unusable(path, error)
        }
        guard status.owner == geteuid() else { throw .anotherUsers(path, owner: status.owner) }
        guard status.mode & 0o022 == 0 else { throw .writableByOthers(path, mode: status.mode) }
        return root
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

    private static let objects = "objects"

    /// How long to wait for the lock of a shard. It is held for some microseconds, unless its process was stopped
    /// meanwhile; then this cache does without.
    private static let shardPatience: Duration = .milliseconds(100)

    /// Opens the directory that files whose name begins with `name` lie in; `nil` if there is none.
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
        guard let shard = try shard(of: identity.name, locked: .shared) else { return nil }
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
        usage.add(try files.data.status().allocatedByteCount + IndexHeader.indexByteCount(for: identity))
        return files
    }

    /// The data file of `files` for whoever reads it without us; `nil` if it has been removed.
    func completeFile(of files: ObjectFiles) throws(Errno) -> CompleteFile? {
        guard let shard = try shard(of: files.identity.name, locked: .shared) else { return nil }
        return try files.openForReading(in: shard)
    }

    /// Takes the names of `files` away, if they still are theirs. Who has them open goes on.
    func remove(_ files: ObjectFiles) throws(Errno) {
        guard let shard = try shard(of: files.identity.name, locked: .exclusive) else { return }
        let name = files.identity.name
        guard try shard.status(of: name + ObjectFiles.indexSuffix)?.inode == files.index.status().inode else { return }
        try unlink(name, in: shard)
    }

    /// Takes the files of `name` away.
    ///
    /// - Parameters:
    ///   - evenIfUsed: Also if somebody has them open, who goes on then as if they were there.
    ///   - lastUse: Only if they were not used since.
    /// - Returns: What they took on the disk; `nil` if they are still there.
    func remove(_ name: String, evenIfUsed: Bool, lastUse: UInt64? = nil) throws(Errno) -> Int? {
        guard let shard = try shard(of: name, locked: .exclusive) else { return nil }
        if !evenIfUsed, let data = try? LocalFile(name + ObjectFiles.dataSuffix, in: shard, O_RDONLY | O_NONBLOCK) {
            guard data.lock(.exclusive) else { return nil }
        }
        if let lastUse, let index = try? LocalFile(name + ObjectFiles.indexSuffix, in: shard, O_RDONLY | O_NONBLOCK) {
            guard try IndexHeader(of: index)?.lastUse == lastUse else { return nil }
        }
        return try unlink(name, in: shard)
    }

    @discardableResult
    private func unlink(_ name: String, in shard: LocalFile) throws(Errno) -> Int {
        let countNumber = usage.countNumber
        var byteCount = 0
        // The index first: without it a data file is nothing.
        for suffix in [ObjectFiles.indexSuffix, ObjectFiles.dataSuffix, ObjectFiles.newIndexSuffix] {
            byteCount += try shard.status(of: name + suffix)?.allocatedByteCount ?? 0
            try shard.unlink(name + suffix)
        }
        usage.takeOff(byteCount, ifNotCountedSince: countNumber)
        return byteCount
    }

    // MARK: Everything

    /// Calls `body` with every object, and takes away what a process left half done.
    ///
    /// - Returns: What everything takes on the disk.
    @discardableResult
    func forEachObject(_ body: (CachedFiles) throws(Errno) -> Void) throws(Errno) -> Int {
        var byteCount = try root.status().allocatedByteCount + usage.allocatedByteCount
        let objects: LocalFile
        do throws(Errno) {
            objects = try LocalFile(CacheDirectory.objects, in: root, O_RDONLY | O_DIRECTORY)
        } catch .noSuchFileOrDirectory {
            return byteCount
        }
        byteCount += try objects.status().allocatedByteCount
        for shardName in try objects.names().sorted() {
            guard let shard = try? LocalFile(shardName, in: objects, O_RDONLY | O_DIRECTORY) else { continue }
            byteCount += try shard.status().allocatedByteCount
            for name in Set(try shard.names().compactMap(CacheDirectory.objectName)).sorted() {
                guard let files = CachedFiles(name, in: shard) else {
                    try removeNonsense(name)
                    continue
                }
                byteCount += files.allocatedByteCount
                try body(files)
            }
        }
        return byteCount
    }

    private func removeNonsense(_ name: String) throws(Errno) {
        // Looked at again under the lock: somebody may just be making it.
        guard let shard = try shard(of: name, locked: .exclusive), CachedFiles(name, in: shard) == nil else { return }
        try unlink(name, in: shard)
    }

    private static func objectName(_ file: String) -> String? {
        for suffix in [ObjectFiles.dataSuffix, ObjectFiles.indexSuffix, ObjectFiles.newIndexSuffix]
        where file.hasSuffix(suffix) && file.count == 32 + suffix.count {
            return String(file.dropLast(suffix.count))
        }
        return nil
    }
}

extension CacheDirectory {
    /// Takes blocks of an object that isn't sealed off the disk, those that were written longest ago first.
    ///
    /// - Returns: How many bytes that freed.
    func punch(_ name: String, _ byteCount: Int) throws(Errno) -> Int {
        guard let files = try openExisting(name) else { return 0 }
        return try files.locked(.exclusive, patience: CacheDirectory.punchPatience) { _ throws(Errno) in
            guard try !files.isSealed(), let header = try IndexHeader(of: files.index) else { return 0 }
            let countNumber = usage.countNumber
            let before = try files.data.status().allocatedByteCount
            try files.punch(byteCount, from: header.punchIndex)
            let freed = max(before - (try files.data.status().allocatedByteCount), 0)
            usage.takeOff(freed, ifNotCountedSince: countNumber)
            return freed
        } ?? 0
    }

    /// As long as a write of a batch may take on a slow disk.
    private static let punchPatience: Duration = .milliseconds(500)

    /// Opens the files `name`, whoever's they are.
    func openExisting(_ name: String) throws(Errno) -> ObjectFiles? {
        guard let shard = try shard(of: name, locked: .shared), let found = CachedFiles(name, in: shard),
            case .files(let files) = try ObjectFiles.open(found.header.identity, in: shard)
        else { return nil }
        return files
    }
}

extension ObjectFiles {
    /// Takes blocks off the disk, from the block `index` on and round; that is about the order they were written in, since
    /// objects of this size are read front to back. The caller holds the index's lock exclusively.
    fileprivate func punch(_ byteCount: Int, from index: Int) throws(Errno) {
        var next = index < identity.blockCount ? index : 0
        var freed = 0
        var seen = 0
        while freed < byteCount, seen < identity.blockCount {
            let end = min(next + ObjectFiles.punchBlockCount, identity.blockCount)
            let present = try withEntries(next..<end) { $0.count { $0 != 0 } }
            if present > 0 {
                // First the entries: who reads a hole then sees that there is no block any more.
                try setEntries(Array(repeating: 0, count: end - next), from: next)
                try data.punchHole(next * Block.byteCount..<end * Block.byteCount)
                freed += present * Block.byteCount
            }
            seen += end - next
            next = end == identity.blockCount ? 0 : end
        }
        try self.index.write(IndexHeader.bytes(UInt64(next)), at: IndexHeader.punchOffset)
    }

    /// Blocks that are punched at once: 1 MiB.
    private static let punchBlockCount = 8
}
