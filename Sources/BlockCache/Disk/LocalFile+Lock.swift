import Glibc
import struct SystemPackage.Errno

extension LocalFile {
    /// Who may hold the lock (flock(2)) at once: several, or one alone.
    enum Sharing {
        case shared
        case exclusive
    }

    /// Takes the lock of this open file, or changes the one it has; also between processes.
    ///
    /// - Parameter patience: How long to go on trying. Never without end: the process that holds it may be stopped.
    /// - Returns: Whether it was got.
    func lock(_ sharing: Sharing, patience: Duration = .zero) -> Bool {
        LocalFile.lock(descriptor, sharing, patience: patience)
    }

    /// The same for a descriptor that somebody else owns.
    static func lock(_ descriptor: CInt, _ sharing: Sharing, patience: Duration = .zero) -> Bool {
        let operation = (sharing == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB
        var deadline: ContinuousClock.Instant?
        while flock(descriptor, operation) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { return false }
            let now = ContinuousClock.now
            if now >= deadline ?? now + patience { return false }
            deadline = deadline ?? now + patience
            usleep(lockPause)
        }
        return true
    }

    /// Finds out whether this file system has locks at all.
    func checkLocking() throws(Errno) {
        do throws(Errno) {
            try LocalFile.checked { flock(descriptor, LOCK_SH | LOCK_NB) }
            unlock()
        } catch .wouldBlock {
            // It has.
        }
    }

    /// Gives the lock back.
    func unlock() {
        flock(descriptor, LOCK_UN)
    }

    /// Between two tries, in microseconds: locks are held for the time of a write of some MiB at most.
    private static let lockPause: UInt32 = 200
}
