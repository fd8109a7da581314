import Glibc
import struct SystemPackage.Errno

/// One scan of a cache directory, and the removals that follow: first whole objects that no process has open, least
/// recently used first; then blocks of open objects that are still being filled. Pinned objects stay.
struct Eviction {
    private struct Candidate {
        let name: String
        let lastUse: UInt64
    }

    private let directory: CacheDirectory
    /// The number of objects with an invalid index.
    let invalidCount: Int
    /// The disk usage of the pinned objects when complete, in bytes.
    let pinnedByteCount: Int
    /// The candidates, least recently used last.
    private var candidates: [Candidate] = []

    /// Scans the directory, and corrects the usage.
    ///
    /// - Parameter isCancelled: Called at each object; if it returns `true`, this throws `Errno.canceled`.
    init(counting directory: CacheDirectory, isCancelled: () -> Bool) throws(Errno) {
        self.directory = directory
        let begin = directory.usage.account
        var candidates: [Candidate] = []
        var pinnedByteCount = 0
        let counted = try directory.forEachObject { files throws(Errno) in
            if isCancelled() { throw Errno.canceled }
            if files.header.isPinned {
                pinnedByteCount += files.header.identity.allocatedByteCount
            } else {
                candidates.append(Candidate(name: files.name, lastUse: files.header.lastUse))
            }
        }
        directory.usage.correct(counted: counted.byteCount, since: begin)
        invalidCount = counted.invalidCount
        self.pinnedByteCount = pinnedByteCount
        self.candidates = candidates
    }

    /// Removes objects and blocks until `byteCount` bytes are free.
    ///
    /// - Returns: The number of bytes freed.
    mutating func free(_ byteCount: Int) throws(Errno) -> Int {
        guard byteCount > 0 else { return 0 }
        candidates.sort { $0.lastUse > $1.lastUse }
        var freed = 0
        var used: [Candidate] = []
        while freed < byteCount, let candidate = candidates.popLast() {
            if let removed = try directory.remove(candidate.name, evenIfUsed: false, lastUse: candidate.lastUse) {
                freed += removed
            } else {
                used.append(candidate)
            }
        }
        do throws(Errno) {
            for candidate in used where freed < byteCount {
                freed += try directory.punch(candidate.name, byteCount - freed)
            }
        } catch .notSupported {
            // A file system without support for holes: only whole objects are evicted.
        }
        return freed
    }
}
