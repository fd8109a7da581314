import Glibc
import struct SystemPackage.Errno

/// One look through a cache directory, and what is removed after it: first whole objects that nobody has open, the one that
/// was not used for longest first; then blocks of objects that are open and still being filled. Objects that are kept stay.
struct Eviction {
    private struct Candidate {
        let name: String
        let lastUse: UInt64
    }

    private let directory: CacheDirectory
    /// How many objects there were whose index was none.
    let nonsenseCount: Int
    /// What the objects that stay take when all of them is there, in bytes.
    let keptByteCount: Int
    /// The least recently used one last.
    private var candidates: [Candidate] = []

    /// Finds out what there is, and sets the usage right.
    ///
    /// - Parameter isCancelled: Asked at each object; if it says so, this ends with `Errno.canceled`.
    init(counting directory: CacheDirectory, isCancelled: () -> Bool) throws(Errno) {
        self.directory = directory
        let begin = directory.usage.account
        var candidates: [Candidate] = []
        var keptByteCount = 0
        let counted = try directory.forEachObject { files throws(Errno) in
            if isCancelled() { throw Errno.canceled }
            if files.header.isKept {
                keptByteCount += files.header.identity.allocatedByteCount
            } else {
                candidates.append(Candidate(name: files.name, lastUse: files.header.lastUse))
            }
        }
        directory.usage.correct(counted: counted.byteCount, since: begin)
        nonsenseCount = counted.nonsenseCount
        self.keptByteCount = keptByteCount
        self.candidates = candidates
    }

    /// Removes until `byteCount` bytes are free.
    ///
    /// - Returns: How many bytes were freed.
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
            // A file system without holes: only whole objects go.
        }
        return freed
    }
}
