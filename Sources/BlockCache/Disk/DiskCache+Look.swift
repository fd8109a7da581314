public import ObjectStore
public import struct SystemPackage.Errno

/// What `tractfs warm` asks.
extension DiskCache {
    /// What is there of a version of an object.
    public struct CachedObject: Sendable {
        /// What it takes on the disk when all of it is there, in bytes.
        public let allocatedByteCount: Int
        /// How many bytes of it are there.
        public let cachedByteCount: Int
        /// Whether evictions leave it.
        public let isKept: Bool
    }

    /// A number that tells versions of objects apart, in whichever process; never 0.
    public func number(of version: ObjectVersion) -> UInt64 {
        max(UInt64(CacheIdentity(source: source, version: version).name.prefix(16), radix: 16) ?? 1, 1)
    }

    /// What is there of `version`: some small reads of the disk.
    ///
    /// - Parameter isUse: Whether that counts as a use, so that others go first.
    public func look(at version: ObjectVersion, isUse: Bool) -> CachedObject {
        let identity = CacheIdentity(source: source, version: version)
        // What goes wrong here goes wrong when something is fetched too, and is told then.
        let files = version.byteCount == 0 ? nil : try? directory.open(identity)
        if isUse { try? files?.setLastUse() }
        return CachedObject(
            allocatedByteCount: version.byteCount == 0 ? 0 : identity.allocatedByteCount,
            cachedByteCount: (try? files?.cachedByteCount()) ?? 0, isKept: (try? files?.isKept()) ?? false)
    }

    /// How much the cache can hold.
    public struct Room: Sendable {
        /// Its limit, in bytes.
        public let byteLimit: Int
        /// How many bytes of files can be there at once: less than the limit, because a full cache is emptied by a tenth, because
        /// listings are in it too, and because something must stay free on the disk.
        public let fillableByteCount: Int
        /// How many bytes may be kept.
        public let keepableByteCount: Int
        /// How many are.
        public let keptByteCount: Int

        /// This much.
        public init(byteLimit: Int, fillableByteCount: Int, keepableByteCount: Int, keptByteCount: Int) {
            self.byteLimit = byteLimit
            self.fillableByteCount = fillableByteCount
            self.keepableByteCount = keepableByteCount
            self.keptByteCount = keptByteCount
        }
    }

    /// Finds out how much the cache can hold, by a look through it, on a thread of its own.
    ///
    /// - Parameter completion: Called once; on this thread if the cache has been shut down.
    public func room(completion: @escaping @Sendable (Result<Room, Errno>) -> Void) {
        inBackground(completion) { [self] () throws(Errno) in
            let directory = directory
            let keptByteCount = try space.count(directory).keptByteCount
            space.kept.set(keptByteCount)
            let listings = try ListingFolder.allocatedByteCount(in: directory.root)
            let fillable = min(space.fillableByteCount, try space.byteCountWithinDisk(of: directory))
            return Room(
                byteLimit: byteLimit, fillableByteCount: max(fillable - listings, 0),
                keepableByteCount: max(min(space.kept.byteLimit, fillable) - listings, 0), keptByteCount: keptByteCount)
        }
    }

    /// What was released.
    public struct Release: Sendable {
        /// How many objects, or versions of them.
        public let objectCount: Int
        /// What of them is there, in bytes on the disk.
        public let byteCount: Int

        /// So much.
        public init(objectCount: Int, byteCount: Int) {
            self.objectCount = objectCount
            self.byteCount = byteCount
        }
    }

    /// Has evictions take objects again, on a thread of the cache: all versions of those in this bucket whose keys are wanted.
    ///
    /// - Parameter completion: Called once; on this thread if the cache has been shut down.
    public func release(
        where isWanted: @escaping @Sendable (Key) -> Bool,
        completion: @escaping @Sendable (Result<Release, Errno>) -> Void
    ) {
        inBackground(completion) { [self] () throws(Errno) in
            var (objectCount, byteCount) = (0, 0)
            let directory = directory
            try directory.forEachObject(isTidying: false) { found throws(Errno) in
                let identity = found.header.identity
                guard found.header.isKept, identity.source == source, isWanted(identity.version.key),
                    let files = try directory.openExisting(found.name)
                else { return }
                try files.setKept(false)
                space.kept.takeOff(identity.allocatedByteCount)
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
