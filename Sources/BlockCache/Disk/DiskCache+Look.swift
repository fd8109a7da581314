public import ObjectStore
public import struct SystemPackage.Errno

/// The queries of `tractfs warm`.
extension DiskCache {
    /// The cached part of a version of an object.
    public struct CachedObject: Sendable {
        /// The disk usage of the complete object, in bytes.
        public let allocatedByteCount: Int
        /// The number of cached bytes.
        public let cachedByteCount: Int
        /// `true` if the object is pinned, so that it is never evicted.
        public let isPinned: Bool
    }

    /// Returns a number that distinguishes versions of objects, the same in all processes; never 0.
    public func number(of version: ObjectVersion) -> UInt64 {
        max(UInt64(CacheIdentity(source: source, version: version).name.prefix(16), radix: 16) ?? 1, 1)
    }

    /// Returns the cached part of `version`. Takes some small disk reads.
    ///
    /// - Parameter isUse: Counts as a use when `true`, so that other objects are evicted first.
    public func look(at version: ObjectVersion, isUse: Bool) -> CachedObject {
        let identity = CacheIdentity(source: source, version: version)
        // A failure here recurs when the object is fetched, and is reported then.
        let files = version.byteCount == 0 ? nil : try? directory.open(identity)
        if isUse { try? files?.setLastUse() }
        return CachedObject(
            allocatedByteCount: version.byteCount == 0 ? 0 : identity.allocatedByteCount,
            cachedByteCount: (try? files?.cachedByteCount()) ?? 0, isPinned: (try? files?.isPinned()) ?? false)
    }

    /// The capacity of the cache.
    public struct Room: Sendable {
        /// The limit, in bytes.
        public let byteLimit: Int
        /// The number of file bytes that can be cached at once. It is less than the limit because eviction frees a
        /// tenth of a full cache, because listings use the cache too, and because some disk space must stay free.
        public let fillableByteCount: Int
        /// The number of bytes that may be pinned.
        public let pinnableByteCount: Int
        /// The number of bytes that are pinned.
        public let pinnedByteCount: Int

        /// Creates a capacity of these sizes.
        public init(byteLimit: Int, fillableByteCount: Int, pinnableByteCount: Int, pinnedByteCount: Int) {
            self.byteLimit = byteLimit
            self.fillableByteCount = fillableByteCount
            self.pinnableByteCount = pinnableByteCount
            self.pinnedByteCount = pinnedByteCount
        }
    }

    /// Computes the capacity of the cache by a scan, on a thread of its own.
    ///
    /// - Parameter completion: Called once; on the calling thread if the cache has been shut down.
    public func room(completion: @escaping @Sendable (Result<Room, Errno>) -> Void) {
        inBackground(completion) { [self] () throws(Errno) in
            let directory = directory
            let pinnedByteCount = try space.count(directory).pinnedByteCount
            space.pinned.set(pinnedByteCount)
            let listings = try ListingFolder.allocatedByteCount(in: directory.root)
            let fillable = min(space.fillableByteCount, try space.byteCountWithinDisk(of: directory))
            return Room(
                byteLimit: byteLimit, fillableByteCount: max(fillable - listings, 0),
                pinnableByteCount: max(min(space.pinned.byteLimit, fillable) - listings, 0),
                pinnedByteCount: pinnedByteCount)
        }
    }

    /// The objects that were unpinned.
    public struct Release: Sendable {
        /// The number of object versions.
        public let objectCount: Int
        /// The number of their cached bytes on the disk.
        public let byteCount: Int

        /// Creates a result with these counts.
        public init(objectCount: Int, byteCount: Int) {
            self.objectCount = objectCount
            self.byteCount = byteCount
        }
    }

    /// Unpins all versions of the selected keys in this bucket, on a thread of the cache.
    ///
    /// - Parameter completion: Called once; on the calling thread if the cache has been shut down.
    public func release(
        where isWanted: @escaping @Sendable (Key) -> Bool,
        completion: @escaping @Sendable (Result<Release, Errno>) -> Void
    ) {
        inBackground(completion) { [self] () throws(Errno) in
            var (objectCount, byteCount) = (0, 0)
            let directory = directory
            try directory.forEachObject(isTidying: false) { found throws(Errno) in
                let identity = found.header.identity
                guard found.header.isPinned, identity.source == source, isWanted(identity.version.key),
                    let files = try directory.openExisting(found.name)
                else { return }
                try files.setPinned(false)
                space.pinned.takeOff(identity.allocatedByteCount)
                objectCount += 1
                byteCount += found.allocatedByteCount
            }
            return Release(objectCount: objectCount, byteCount: byteCount)
        }
    }

    private func inBackground<Value: Sendable>(
        _ completion: @escaping @Sendable (Result<Value, Errno>) -> Void,
        _ body: @escaping @Sendable () throws(Errno) -> Value
    ) {
        let isRunning = ioThreads.run(inBackground: true) {
            do throws(Errno) {
                completion(.success(try body()))
            } catch {
                completion(.failure(error))
            }
        }
        if !isRunning { completion(.failure(.canceled)) }
    }
}
