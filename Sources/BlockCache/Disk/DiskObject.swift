import ObjectStore
import Synchronization
import struct SystemPackage.Errno

/// What the disk holds of one version of one object.
///
/// `present` and `store` may be asked under a lock of the caller's: they read some bytes of an index that mostly is in memory.
/// `completeFile` may wait up to a tenth of a second for another process that makes or removes files. `load` and `complete` answer
/// later, on one of the cache's threads, under no lock. None of them has a limit for a disk that hangs.
public final class DiskObject: Sendable {
    let identity: CacheIdentity
    let cache: DiskCache

    struct State {
        var files: ObjectFiles?
        /// Since when nobody else needs to be told that the object is in use.
        var lastUseNoted: ContinuousClock.Instant?
        /// Somebody checks all blocks, or is about to.
        var isProving = false
        /// The blocks before this one were there when last looked at.
        var firstAbsent = 0
        /// What was handed out, as long as it is used.
        weak var completeFile: CompleteFile?
    }

    let state = Mutex(State())

    /// How long an object's last use may be off: often enough for an order of hours.
    private static let lastUsePeriod: Duration = .seconds(60)

    init(_ identity: CacheIdentity, in cache: DiskCache) {
        precondition(identity.version.byteCount > 0, "an empty object has no blocks")
        self.identity = identity
        self.cache = cache
        if files() != nil { noteUse() }
    }

    /// Which of the blocks `indices` are on the disk, as ranges in ascending order. That they are there doesn't say that
    /// they are right: `load` finds out.
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

    /// Keeps a complete block, behind the reader: it is held until it is written, and `didRelease` called then.
    ///
    /// - Returns: `false` if it isn't kept, because too much is queued or the disk isn't to be written to now.
    @discardableResult
    public func store(_ block: Block, at index: Int) -> Bool {
        guard mayBeStored else { return false }
        return cache.writer.add([IndexedBlock(index: index, block: block)], of: self)
    }

    /// Whether the disk takes anything now, and an object this big at all.
    public var mayBeStored: Bool {
        cache.health.mayStore && IndexHeader.indexByteCount(for: identity) <= cache.space.indexByteLimit
    }

    // MARK: Files

    /// The object's files, if there are any; others may have made them since one last looked.
    func files() -> ObjectFiles? {
        if let files = state.withLock({ $0.files }) { return files }
        // What goes wrong here goes wrong for the writer too, who tells it.
        guard let files = try? cache.directory.open(identity) else { return nil }
        state.withLock { $0.use(files) }
        return files
    }

    /// The object's files in `directory`, made where there are none.
    func filesForWriting(in directory: CacheDirectory) throws(Errno) -> ObjectFiles {
        if let files = state.withLock({ $0.files }) {
            if try files.isIntact() { return files }
            try drop(files)
        }
        let (files, wasNonsense) = try directory.make(identity)
        if wasNonsense { cache.health.noteDamage("the index of \(identity.version.key)") }
        state.withLock { $0.use(files) }
        return files
    }

    /// Has nothing more to do with `files`; nobody will find them any more.
    func drop(_ files: ObjectFiles) throws(Errno) {
        try cache.directory.remove(files)
        state.withLock { state in
            if state.files === files { state.files = nil }
        }
    }

    /// Says in the index, now and then, that the object is in use.
    func noteUse() {
        let isDue = state.withLock { state in
            let now = ContinuousClock.now
            if let last = state.lastUseNoted, now - last < DiskObject.lastUsePeriod { return false }
            state.lastUseNoted = now
            return true
        }
        guard isDue, let files = state.withLock({ $0.files }) else { return }
        // Refused by a disk that is read-only now, on which nothing is evicted either.
        try? files.setLastUse()
    }
}

extension DiskObject.State {
    /// From now on these are the files.
    mutating func use(_ files: ObjectFiles) {
        self.files = files
        firstAbsent = 0
        completeFile = nil
    }
}
