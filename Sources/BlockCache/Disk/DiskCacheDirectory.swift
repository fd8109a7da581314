public import Logging
public import ObjectStore
public import SystemPackage

/// A cache directory from outside: what `tractfs cache` shows and does, also while mounts use it.
public struct DiskCacheDirectory: Sendable {
    private let directory: CacheDirectory

    /// Opens the cache in the directory `path`. Nothing is made where there is none.
    public init(_ path: FilePath) throws(DiskCacheError) {
        do throws(DiskCacheError) {
            directory = try CacheDirectory(opening: path)
        } catch .unusable(_, .noSuchFileOrDirectory) {
            throw .noCache(path)
        }
        let content: CacheDirectory.Content
        do throws(Errno) {
            content = try directory.content()
        } catch {
            throw .unusable(path, error)
        }
        switch content {
        case .cache: break
        case .nothing: throw .noCache(path)
        case .somethingElse: throw .notACache(path)
        }
    }

    /// An object of which something is in the cache.
    public struct Object: Sendable {
        /// The endpoint and the bucket that it is from.
        public let source: String
        /// Key, ETag and size.
        public let version: ObjectVersion
        /// How many bytes of it are there.
        public let cachedByteCount: Int
        /// What its files take on the disk, in bytes.
        public let allocatedByteCount: Int
        /// When it was last used, a minute more or less.
        public let lastUse: Timestamp
        /// Whether it isn't evicted.
        public let isKept: Bool

        /// Whether all of it is there.
        public var isComplete: Bool { cachedByteCount == version.byteCount }
    }

    /// Calls `body` with every object, in no order. Nothing is changed.
    public func forEachObject(_ body: (Object) -> Void) throws(DiskCacheError) {
        try throwingUnusable { () throws(Errno) in
            _ = try directory.forEachObject(isTidying: false) { found throws(Errno) in
                // Gone since it was found, or of no use, otherwise.
                guard let files = try directory.openExisting(found.name) else { return }
                body(try DiskCacheDirectory.object(found, files))
            }
        }
    }

    /// What is wrong with an object.
    public enum Damage: Hashable, Sendable {
        /// So many of its blocks were damaged, and have been taken out of the cache.
        case blocks(Int)
        /// The object was taken out as a whole: its file is not what it should be, or the kernel may be reading it.
        case object
        /// It couldn't be taken out, because the disk is read-only. Whoever reads it finds it damaged again.
        case stays
    }

    /// Checks all blocks of every object, and takes out of the cache what is damaged.
    ///
    /// - Parameters:
    ///   - progress: Called with how many bytes have been checked since the last call.
    ///   - body: Called after each object, with what there was of it.
    /// - Returns: How many objects had an index that doesn't even tell which they are. They are taken out too.
    public func verify(
        progress: (_ byteCount: Int) -> Void = { _ in }, _ body: (_ object: Object, _ damage: Damage?) -> Void
    ) throws(DiskCacheError) -> Int {
        try throwingUnusable { () throws(Errno) in
            try directory.forEachObject { found throws(Errno) in
                if let files = try directory.openExisting(found.name) {
                    body(try DiskCacheDirectory.object(found, files), try verify(files, progress: progress))
                } else if let damage = try removeIfNonsense(found) {
                    body(DiskCacheDirectory.object(found, cachedByteCount: 0), damage)
                }
            }.nonsenseCount
        }
    }

    private func verify(_ files: ObjectFiles, progress: (Int) -> Void) throws(Errno) -> Damage? {
        let damage = try files.dropDamaged(progress: progress)
        guard damage == .object else { return damage }
        do throws(Errno) {
            try directory.remove(files)
            return .object
        } catch .readOnlyFileSystem {
            return .stays
        }
    }

    private func removeIfNonsense(_ found: CachedFiles) throws(Errno) -> Damage? {
        do throws(Errno) {
            return try directory.removeIfNonsense(found) ? .object : nil
        } catch .readOnlyFileSystem {
            return .stays
        }
    }

    /// What `clear` has done.
    public struct Clearance: Hashable, Sendable {
        /// How many objects were removed.
        public var objectCount = 0
        /// How many of them evictions would have left.
        public var keptCount = 0
        /// What they took on the disk, in bytes.
        public var byteCount = 0
        /// How many objects stay, because another process doesn't let go of their directory.
        public var lockedCount = 0
    }

    /// Removes objects. Mounts that use them go on, as after an eviction.
    ///
    /// - Parameter isWanted: Whether to remove an object, by its bucket and its version.
    @discardableResult
    public func clear(
        where isWanted: (_ source: String, _ version: ObjectVersion) -> Bool = { _, _ in true }
    ) throws(DiskCacheError) -> Clearance {
        var clearance = Clearance()
        try throwingUnusable { () throws(Errno) in
            _ = try directory.forEachObject { found throws(Errno) in
                let identity = found.header.identity
                guard isWanted(identity.source, identity.version) else { return }
                if let byteCount = try directory.remove(found.name, evenIfUsed: true) {
                    clearance.objectCount += 1
                    if found.header.isKept { clearance.keptCount += 1 }
                    clearance.byteCount += byteCount
                } else {
                    clearance.lockedCount += 1
                }
            }
        }
        return clearance
    }

    /// The folder that listings are kept in; `nil` if there is none.
    ///
    /// - Parameter logger: Where trouble with it is told.
    public func listingFolder(logger: Logger) throws(DiskCacheError) -> ListingFolder? {
        try throwingUnusable { () throws(Errno) in
            do throws(Errno) {
                let health = DiskHealth(of: directory.path, logger: logger)
                return try ListingFolder(in: directory, health: health, isMade: false)
            } catch .noSuchFileOrDirectory {
                return nil
            }
        }
    }

    private func throwingUnusable<R>(_ body: () throws(Errno) -> R) throws(DiskCacheError) -> R {
        do throws(Errno) {
            return try body()
        } catch {
            throw .unusable(directory.path, error)
        }
    }

    private static func object(_ found: CachedFiles, _ files: ObjectFiles) throws(Errno) -> Object {
        object(found, cachedByteCount: try files.cachedByteCount())
    }

    private static func object(_ found: CachedFiles, cachedByteCount: Int) -> Object {
        let identity = found.header.identity
        let (seconds, nanoseconds) = found.header.lastUse.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Object(
            source: identity.source, version: identity.version, cachedByteCount: cachedByteCount,
            allocatedByteCount: found.allocatedByteCount,
            lastUse: Timestamp(seconds: Int(seconds), nanoseconds: Int(nanoseconds)), isKept: found.header.isKept)
    }
}

extension ObjectFiles {
    /// Reads every block that is there, and takes those out of the index that are damaged.
    ///
    /// - Returns: What was wrong. An object that is damaged as a whole is still there.
    fileprivate func dropDamaged(progress: (Int) -> Void) throws(Errno) -> DiskCacheDirectory.Damage? {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Block.byteCount, alignment: 4096)
        defer { buffer.deallocate() }
        var (damagedCount, stayingCount, isForGood) = (0, 0, false)
        try forEachPresent { index in
            let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<identity.bytes(ofBlock: index).count])
            switch readRight(into: [bytes], from: index).end {
            case .complete, .absent: break
            case .damaged:
                damagedCount += 1
                if (try? entries(index..<index + 1)) != [0] { stayingCount += 1 }
            case .damagedForGood: isForGood = true
            }
            progress(bytes.count)
        }
        if isForGood { return .object }
        if stayingCount > 0 { return .stays }
        return damagedCount > 0 ? .blocks(damagedCount) : nil
    }
}
