public import ObjectStore
public import SystemPackage

/// A cache directory from outside: what `tractfs cache` shows and does, also while mounts use it.
public struct DiskCacheDirectory: Sendable {
    private let directory: CacheDirectory

    /// Opens the cache in the directory `path`, which must be there.
    public init(_ path: FilePath) throws(DiskCacheError) {
        directory = try CacheDirectory(opening: path)
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

        /// Whether all of it is there.
        public var isComplete: Bool { cachedByteCount == version.byteCount }
    }

    /// Calls `body` with every object, in no order.
    public func forEachObject(_ body: (Object) -> Void) throws(DiskCacheError) {
        try forEachFiles { found, files throws(Errno) in
            body(try DiskCacheDirectory.object(found, files))
        }
    }

    /// Checks all blocks of every object, and takes out of the cache what is damaged.
    ///
    /// - Parameter body: Called after each object, with what there was of it, and how many of its blocks were damaged.
    public func verify(_ body: (_ object: Object, _ damagedBlockCount: Int) -> Void) throws(DiskCacheError) {
        try forEachFiles { found, files throws(Errno) in
            let object = try DiskCacheDirectory.object(found, files)
            let (damagedBlockCount, isForGood) = try files.dropDamaged()
            if isForGood { try directory.remove(files) }
            body(object, damagedBlockCount)
        }
    }

    /// Removes everything. Mounts that use the cache go on, as after an eviction.
    ///
    /// - Returns: How much that was.
    @discardableResult
    public func clear() throws(DiskCacheError) -> (objectCount: Int, byteCount: Int) {
        var cleared = (objectCount: 0, byteCount: 0)
        do throws(Errno) {
            try directory.forEachObject { found throws(Errno) in
                guard let byteCount = try directory.remove(found.name, evenIfUsed: true) else { return }
                cleared.objectCount += 1
                cleared.byteCount += byteCount
            }
        } catch {
            throw .unusable(directory.path, error)
        }
        return cleared
    }

    private func forEachFiles(
        _ body: (CachedFiles, ObjectFiles) throws(Errno) -> Void
    ) throws(DiskCacheError) {
        do throws(Errno) {
            try directory.forEachObject { found throws(Errno) in
                // Gone since it was found, otherwise.
                if let files = try directory.openExisting(found.name) { try body(found, files) }
            }
        } catch {
            throw .unusable(directory.path, error)
        }
    }

    private static func object(_ found: CachedFiles, _ files: ObjectFiles) throws(Errno) -> Object {
        let identity = found.header.identity
        var cachedByteCount = 0
        try files.forEachPresent { cachedByteCount += identity.bytes(ofBlock: $0).count }
        let (seconds, nanoseconds) = found.header.lastUse.quotientAndRemainder(dividingBy: 1_000_000_000)
        return Object(
            source: identity.source, version: identity.version, cachedByteCount: cachedByteCount,
            allocatedByteCount: found.allocatedByteCount,
            lastUse: Timestamp(seconds: Int(seconds), nanoseconds: Int(nanoseconds)))
    }
}

extension ObjectFiles {
    /// Calls `body` with the index of every block that is there.
    fileprivate func forEachPresent(_ body: (Int) -> Void) throws(Errno) {
        for start in stride(from: 0, to: identity.blockCount, by: ObjectFiles.entryChunkCount) {
            let chunk = start..<min(start + ObjectFiles.entryChunkCount, identity.blockCount)
            for (offset, entry) in try entries(chunk).enumerated() where entry != 0 { body(start + offset) }
        }
    }

    /// Reads every block that is there, and takes those out of the index that are damaged.
    ///
    /// - Returns: How many were, and whether the object must be removed as a whole.
    fileprivate func dropDamaged() throws(Errno) -> (blockCount: Int, isForGood: Bool) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Block.byteCount, alignment: 4096)
        defer { buffer.deallocate() }
        var damaged = (blockCount: 0, isForGood: false)
        try forEachPresent { index in
            let bytes = UnsafeMutableRawBufferPointer(rebasing: buffer[..<identity.bytes(ofBlock: index).count])
            let end = readRight(into: [bytes], from: index).end
            if end == .damaged || end == .damagedForGood { damaged.blockCount += 1 }
            if end == .damagedForGood { damaged.isForGood = true }
        }
        return damaged
    }
}
