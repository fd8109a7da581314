import ObjectStore
import Synchronization
import struct SystemPackage.Errno

/// The cached part of one version of one object on the disk.
///
/// `present` and `store` may be called under a lock of the caller: they read some bytes of an index that is mostly in
/// memory. `completeFile` may wait up to a tenth of a second for another process that creates or removes files. `load`
/// and `complete` complete later, on a thread of the cache, under no lock. None of them has a timeout for a disk that
/// hangs.
public final class DiskObject: Sendable {
    let identity: CacheIdentity
    let cache: DiskCache

    struct State {
        var files: ObjectFiles?
        /// The time of the last update of the last use in the index.
        var lastUseNoted: ContinuousClock.Instant?
        /// A check of all blocks is running or queued.
        var isProving = false
        /// All blocks before this one were cached at the last check.
        var firstAbsent = 0
        /// The file that was handed out, while it is in use.
        weak var completeFile: CompleteFile?
    }

    let state = Mutex(State())

    /// The accuracy of an object's last use: fine enough to order uses that are hours apart.
    private static let lastUsePeriod: Duration = .seconds(60)

    init(_ identity: CacheIdentity, in cache: DiskCache) {
        precondition(identity.version.byteCount > 0, "an empty object has no blocks")
        self.identity = identity
        self.cache = cache
        if files() != nil { noteUse() }
    }

    /// Returns the blocks among `indices` that are on the disk, as ranges in ascending order. They may be damaged;
    /// `load` detects that.
    public func present(among indices: Range<Int>) -> [Range<Int>] {
        let indices = indices.clamped(to: 0..<identity.blockCount)
        guard !indices.isEmpty, let files = files() else { return [] }
        let runs = try? files.withEntries(indices) { entries in
            var runs: [Range<Int>] = []
            for (offset, entry) in entries.enumerated() where entry != 0 {
                let index = indices.lowerBound + offset
                if let last = runs.last, last.upperBound == index {
                    runs[runs.count - 1] = last.lowerBound..<index + 1
                } else {
                    runs.append(index..<index + 1)
                }
            }
            return runs
        }
        return runs ?? []
    }

    /// Stores a complete block in the background. It is held until it is written; then `didRelease` is called.
    ///
    /// - Returns: `false` if it isn't stored because the queue is full or storing is suspended.
    @discardableResult
    public func store(_ block: Block, at index: Int) -> Bool {
        guard mayBeStored else { return false }
        return cache.writer.add([IndexedBlock(index: index, block: block)], of: self)
    }

    /// `true` if the disk accepts blocks now, and an object of this size at all.
    public var mayBeStored: Bool {
        cache.health.mayStore && IndexHeader.indexByteCount(for: identity) <= cache.space.indexByteLimit
    }

    /// `true` if the disk accepts blocks now, and the cache can hold the whole object.
    public var mayBeComplete: Bool {
        mayBeStored && identity.allocatedByteCount <= cache.space.fillableByteCount
    }

    // MARK: Files

    /// Returns the object's files, if they exist; other processes may have created them since the last call.
    func files() -> ObjectFiles? {
        if let files = state.withLock({ $0.files }) { return files }
        // A failure here recurs in the writer, which reports it.
        guard let files = try? cache.directory.open(identity) else { return nil }
        state.withLock { $0.use(files) }
        return files
    }

    /// Returns the object's files in `directory`, creating them if needed.
    func filesForWriting(in directory: CacheDirectory) throws(Errno) -> ObjectFiles {
        if let files = state.withLock({ $0.files }) {
            if try files.isIntact() { return files }
            try drop(files)
        }
        let (files, wasInvalid) = try directory.make(identity)
        if wasInvalid { cache.health.noteDamage("the index of \(identity.version.key)") }
        state.withLock { $0.use(files) }
        return files
    }

    /// Forgets `files` and removes their names, so that they are not found again.
    func drop(_ files: ObjectFiles) throws(Errno) {
        try cache.directory.remove(files)
        state.withLock { state in
            if state.files === files { state.files = nil }
        }
    }

    /// Updates the last use in the index, at intervals.
    func noteUse() {
        let isDue = state.withLock { state in
            let now = ContinuousClock.now
            if let last = state.lastUseNoted, now - last < DiskObject.lastUsePeriod { return false }
            state.lastUseNoted = now
            return true
        }
        guard isDue, let files = state.withLock({ $0.files }) else { return }
        // A read-only disk refuses this, and evicts nothing either.
        try? files.setLastUse()
    }
}

extension DiskObject.State {
    /// Uses these files from now on.
    mutating func use(_ files: ObjectFiles) {
        self.files = files
        firstAbsent = 0
        completeFile = nil
    }
}
