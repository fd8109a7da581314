import CLinux
import Glibc
import struct SystemPackage.Errno

/// Excludes other machines from a cache directory on a network file system.
///
/// Cache files are created and removed under locks of directories, which most network file systems keep within a
/// machine. So only one machine at a time uses such a cache. Its ID is in the file `machine`, and each of its processes
/// holds the lock of that file shared. A process that gets the lock exclusively is alone, and may write another ID.
final class MachineLock: Sendable {
    static let fileName = "machine"
    /// The timeout: processes of one machine that start at the same time block each other for a moment.
    private static let timeout: Duration = .seconds(1)

    /// The locked file. It is open, and thus locked, as long as this instance lives.
    private let file: LocalFile

    /// Takes the lock in the cache directory `root`.
    ///
    /// - Parameter machine: The ID of this machine.
    /// - Throws: `Errno.resourceTemporarilyUnavailable` if another machine holds it; another error if locks don't work.
    init(in root: LocalFile, machine: [UInt8] = MachineLock.thisMachine) throws(Errno) {
        file = try LocalFile(Self.fileName, in: root, O_RDWR | O_CREAT)
        let deadline = ContinuousClock.now + Self.timeout
        while true {
            if try lock(F_WRLCK) {
                // This process is alone. It held no other lock while it tried, so that one of many processes succeeds.
                if try file.read(machine.count + 1, at: 0) != machine {
                    try file.truncate(to: 0)
                    try file.write(machine, at: 0)
                }
                if try lock(F_RDLCK) { return }
            } else if try lock(F_RDLCK), try file.read(machine.count + 1, at: 0) == machine {
                return
            }
            _ = try lock(F_UNLCK)
            guard ContinuousClock.now < deadline else { throw .resourceTemporarilyUnavailable }
            usleep(.random(in: 1_000...20_000))
        }
    }

    /// Tries to lock the file; returns `true` on success.
    private func lock(_ type: CInt) throws(Errno) -> Bool {
        do throws(Errno) {
            try LocalFile.checked { tractfs_lock_file(file.descriptor, Int16(type)) }
            return true
        } catch {
            if error == .resourceTemporarilyUnavailable || error == .permissionDenied { return false }
            throw error
        }
    }

    /// The ID of this boot: containers share the kernel, and so its locks.
    private static let thisMachine: [UInt8] = {
        let id = try? LocalFile("/proc/sys/kernel/random/boot_id", O_RDONLY).read(36, at: 0)
        return id ?? Array("unknown".utf8)
    }()
}
