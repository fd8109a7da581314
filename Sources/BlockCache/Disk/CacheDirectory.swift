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
    /// The directory itself.
    let root: LocalFile

    /// Opens the directory `path`, which must be safe.
    init(opening path: FilePath) throws(DiskCacheError) {
        self.path = path
        root = try CacheDirectory.openChecked(path)
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
    }

    private static func openChecked(_ path: FilePath) throws(DiskCacheError) -> LocalFile {
        let root: LocalFile
        let status: FileStatus
        do throws(Errno) {
            root = try LocalFile(path.string, O_RDONLY | O_DIRECTORY)
            status = try root.status()
            try root.checkLocking()
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

    /// What the directory of all objects is called.
    static let objects = "objects"

    /// How long to wait for the lock of a shard. It is held for some microseconds, unless its process was stopped
    /// meanwhile.
    private static let shardPatience: Duration = .milliseconds(100)

    /// Opens the directory that the files `name` lie in; `nil` if there is none, or another process won't let go of its
    /// lock: then one does without.
    private func freeShard(of name: String, locked sharing: LocalFile.Sharing) throws(Errno) -> LocalFile? {
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

    /// The data file of `files` for whoever reads it without us; `nil` if it has been removed.
    func completeFile(of files: ObjectFiles) throws(Errno) -> CompleteFile? {
        guard let shard = try freeShard(of: files.identity.name, locked: .shared) else { return nil }
        return try files.openForReading(in: shard)
    }

    /// Takes the names of `files` away, if they still are theirs. Who has them open goes on.
    func remove(_ files: ObjectFiles) throws(Errno) {
        guard let shard = try freeShard(of: files.identity.name, locked: .exclusive) else { return }
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
        guard let shard = try freeShard(of: name, locked: .exclusive) else { return nil }
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
        var byteCount = 0
        // The index first: without it a data file is nothing.
        for suffix in [ObjectFiles.indexSuffix, ObjectFiles.dataSuffix, ObjectFiles.newIndexSuffix] {
            // A directory is none of ours, whatever it is called.
            guard let status = try shard.status(of: name + suffix), !status.isDirectory else { continue }
            byteCount += status.allocatedByteCount
            try shard.unlink(name + suffix)
        }
        usage.add(-byteCount)
        return byteCount
    }

    // MARK: Everything

    /// Calls `body` with every object.
    ///
    /// - Parameter isTidying: Whether to take away what a process left half done, and what is nonsense.
    /// - Returns: What everything takes on the disk, and how much nonsense was taken away.
    @discardableResult
    func forEachObject(
        isTidying: Bool = true, _ body: (CachedFiles) throws(Errno) -> Void
    ) throws(Errno) -> (byteCount: Int, nonsenseCount: Int) {
        var byteCount = try root.status().allocatedByteCount + usage.allocatedByteCount
        var nonsenseCount = 0
        let objects: LocalFile
        do throws(Errno) {
            objects = try LocalFile(CacheDirectory.objects, in: root, O_RDONLY | O_DIRECTORY)
        } catch .noSuchFileOrDirectory {
            return (byteCount, 0)
        }
        byteCount += try objects.status().allocatedByteCount
        for shardName in try objects.names().sorted() {
            guard let shard = try? LocalFile(shardName, in: objects, O_RDONLY | O_DIRECTORY) else { continue }
            byteCount += try shard.status().allocatedByteCount
            let names = Set(try shard.names().compactMap(CacheDirectory.objectName))
            for name in names.filter({ $0.hasPrefix(shardName) }).sorted() {
                guard let files = try CachedFiles(name, in: shard) else {
                    if isTidying, try removeNonsense(name) { nonsenseCount += 1 }
                    continue
                }
                byteCount += files.allocatedByteCount
                try body(files)
            }
        }
        return (byteCount, nonsenseCount)
    }

    /// - Returns: Whether there was an index, which says that it was not just left half made.
    private func removeNonsense(_ name: String) throws(Errno) -> Bool {
        // Looked at again under the lock: somebody may just be making it.
        guard let shard = try freeShard(of: name, locked: .exclusive), try CachedFiles(name, in: shard) == nil else {
            return false
        }
        let index = try shard.status(of: name + ObjectFiles.indexSuffix)
        do throws(Errno) {
            try unlink(name, in: shard)
        } catch {
            // On a disk that is read-only, say. It stays, nobody uses it, and nothing else depends on it.
        }
        return index.map { !$0.isDirectory } ?? false
    }

    private static func objectName(_ file: String) -> String? {
        for suffix in [ObjectFiles.dataSuffix, ObjectFiles.indexSuffix, ObjectFiles.newIndexSuffix]
        where file.hasSuffix(suffix) {
            let name = file.dropLast(suffix.count)
            return name.utf8.count == 32 && CacheDirectory.isHexadecimal(name) ? String(name) : nil
        }
        return nil
    }

    /// Whether all of `text` are digits as object names have them.
    static func isHexadecimal(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy {
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
        }
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
            let before = try files.data.status().allocatedByteCount
            try files.punch(byteCount, from: header.punchIndex)
            let freed = max(before - (try files.data.status().allocatedByteCount), 0)
            usage.add(-freed)
            return freed
        } ?? 0
    }

    /// As long as a write of a batch may take on a slow disk.
    private static let punchPatience: Duration = .milliseconds(500)

    /// Takes the files of `found` away if the data isn't what the index is about: another size, or no file at all.
    ///
    /// - Returns: Whether that was so.
    func removeIfNonsense(_ found: CachedFiles) throws(Errno) -> Bool {
        // Under the lock, because somebody may just be making or removing them.
        guard let shard = try freeShard(of: found.name, locked: .exclusive),
            let files = try CachedFiles(found.name, in: shard),
            case .nonsense = try ObjectFiles.open(files.header.identity, in: shard)
        else { return false }
        try unlink(found.name, in: shard)
        return true
    }

    /// Opens the files `name`, whoever's they are.
    func openExisting(_ name: String) throws(Errno) -> ObjectFiles? {
        guard let shard = try freeShard(of: name, locked: .shared), let found = try CachedFiles(name, in: shard),
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
