import Glibc
import struct SystemPackage.Errno

extension LocalFile {
    /// The mode of a lock (flock(2)): shared or exclusive.
    enum Sharing {
        case shared
        case exclusive
    }

    /// Takes the lock of this open file, or changes its mode; also works between processes.
    ///
    /// - Parameter timeout: The timeout. Never infinite: the process that holds the lock may be stopped.
    /// - Returns: `true` if the lock was taken.
    func lock(_ sharing: Sharing, timeout: Duration = .zero) -> Bool {
        LocalFile.lock(descriptor, sharing, timeout: timeout)
    }

    /// Takes the lock of a descriptor that is owned elsewhere.
    static func lock(_ descriptor: CInt, _ sharing: Sharing, timeout: Duration = .zero) -> Bool {
        let operation = (sharing == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB
        var deadline: ContinuousClock.Instant?
        while flock(descriptor, operation) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { return false }
            let now = ContinuousClock.now
            if now >= deadline ?? now + timeout { return false }
            deadline = deadline ?? now + timeout
            usleep(lockPause)
        }
        return true
    }

    /// Throws unless this file system supports locks.
    func checkLocking() throws(Errno) {
        do throws(Errno) {
            try LocalFile.checked { flock(descriptor, LOCK_SH | LOCK_NB) }
            unlock()
        } catch .wouldBlock {
            // Locks are supported.
        }
    }

    /// Releases the lock.
    func unlock() {
        flock(descriptor, LOCK_UN)
    }

    /// The pause between two tries, in microseconds: locks are held at most for a write of some MiB.
    private static let lockPause: UInt32 = 200
}
