public import Logging
public import ObjectStore
public import SystemPackage
public import SystemSupport

/// A cache directory seen from outside, for `tractfs cache`; it may be in use by mounts.
public struct DiskCacheDirectory: Sendable {
    private let directory: CacheDirectory

    /// Opens the cache in the directory `path`. Never creates one.
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

    /// A cached object, complete or in part.
    public struct Object: Sendable {
        /// The endpoint and the bucket of the object.
        public let source: String
        /// The key, ETag and size.
        public let version: ObjectVersion
        /// The number of cached bytes.
        public let cachedByteCount: Int
        /// The disk usage of its files, in bytes.
        public let allocatedByteCount: Int
        /// The time of its last use, accurate to about a minute.
        public let lastUse: Timestamp
        /// `true` if the object is pinned.
        public let isPinned: Bool

        /// `true` if all bytes are cached.
        public var isComplete: Bool { cachedByteCount == version.byteCount }
    }

    /// Calls `body` with every object, in no particular order. Changes nothing.
    public func forEachObject(_ body: (Object) -> Void) throws(DiskCacheError) {
        try throwingUnusable { () throws(Errno) in
            _ = try directory.forEachObject(isTidying: false) { found throws(Errno) in
                // The object was removed meanwhile, or is invalid.
                guard let files = try directory.openExisting(found.name) else { return }
                body(try DiskCacheDirectory.object(found, files))
            }
        }
    }

    /// The damage found in an object.
    public enum Damage: Hashable, Sendable {
        /// Damaged blocks, by their number. They have been removed from the cache.
        case blocks(Int)
        /// The whole object was removed: its file is invalid, or the kernel may be reading it.
        case object
        /// The object can't be removed because the disk is read-only. Each reader finds it damaged again.
        case stays
    }

    /// Checks all blocks of every object, and removes damaged ones from the cache.
    ///
    /// - Parameters:
    ///   - progress: Called with the number of bytes checked since the last call.
    ///   - body: Called after each object, with the object as it was found.
    /// - Returns: The number of objects whose index is unreadable, so that they can't be identified. They are removed
    ///   too.
    public func verify(
        progress: (_ byteCount: Int) -> Void = { _ in }, _ body: (_ object: Object, _ damage: Damage?) -> Void
    ) throws(DiskCacheError) -> Int {
        try directory.lockOutOtherMachinesIfPossible()
        return try throwingUnusable { () throws(Errno) in
            try directory.forEachObject { found throws(Errno) in
                if let files = try directory.openExisting(found.name) {
                    body(try DiskCacheDirectory.object(found, files), try verify(files, progress: progress))
                } else if let damage = try removeIfInvalid(found) {
                    body(DiskCacheDirectory.object(found, cachedByteCount: 0), damage)
                }
            }.invalidCount
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

    private func removeIfInvalid(_ found: CachedFiles) throws(Errno) -> Damage? {
        do throws(Errno) {
            return try directory.removeIfInvalid(found) ? .object : nil
        } catch .readOnlyFileSystem {
            return .stays
        }
    }

    /// The result of `clear`.
    public struct Clearance: Hashable, Sendable {
        /// The number of objects removed.
        public var objectCount = 0
        /// The number of removed objects that were pinned.
        public var pinnedCount = 0
        /// The disk space that they used, in bytes.
        public var byteCount = 0
        /// The number of objects that stay because another process holds the lock of their directory.
        public var lockedCount = 0
    }

    /// Removes objects. Mounts that use them continue, as after an eviction.
    ///
    /// - Parameter isWanted: Selects the objects to remove, by bucket and version.
    @discardableResult
    public func clear(
        where isWanted: (_ source: String, _ version: ObjectVersion) -> Bool = { _, _ in true }
    ) throws(DiskCacheError) -> Clearance {
        try directory.lockOutOtherMachinesIfPossible()
        var clearance = Clearance()
        try throwingUnusable { () throws(Errno) in
            _ = try directory.forEachObject { found throws(Errno) in
                let identity = found.header.identity
                guard isWanted(identity.source, identity.version) else { return }
                if let byteCount = try directory.remove(found.name, evenIfUsed: true) {
                    clearance.objectCount += 1
                    if found.header.isPinned { clearance.pinnedCount += 1 }
                    clearance.byteCount += byteCount
                } else {
                    clearance.lockedCount += 1
                }
            }
        }
        return clearance
    }

    /// Returns the folder of the listings; `nil` if it is missing.
    ///
    /// - Parameter logger: The log for problems.
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
        return Object(
            source: identity.source, version: identity.version, cachedByteCount: cachedByteCount,
            allocatedByteCount: found.allocatedByteCount,
            lastUse: Timestamp(nanosecondsSinceEpoch: Int64(clamping: found.header.lastUse)),
            isPinned: found.header.isPinned)
    }
}

extension ObjectFiles {
    /// Reads every cached block, and removes damaged ones from the index.
    ///
    /// - Returns: The damage found. An object that is damaged as a whole is not removed yet.
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
