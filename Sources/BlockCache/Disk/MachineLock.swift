import CLinux
import Glibc
import struct SystemPackage.Errno

/// Keeps other machines from a cache directory that they could use too.
///
/// Files of a cache appear and go under locks of directories, which most network file systems keep within a machine. So one machine at a
/// time uses such a cache: its id stands in the file `machine`, and each of its processes has that file's lock shared. Who gets the lock
/// exclusively is alone, and may write another id.
final class MachineLock: Sendable {
    static let fileName = "machine"
    /// The time to try for: processes of one machine that begin at the same time are in each other's way for a moment.
    private static let timeout: Duration = .seconds(1)

    /// Open as long as this instance lives, and so is the lock.
    private let file: LocalFile

    /// Takes the lock in the cache directory `root`.
    ///
    /// - Parameter machine: This machine's id.
    /// - Throws: `Errno.resourceTemporarilyUnavailable` where another machine has it; anything else where locks don't work.
    init(in root: LocalFile, machine: [UInt8] = MachineLock.thisMachine) throws(Errno) {
        file = try LocalFile(Self.fileName, in: root, O_RDWR | O_CREAT)
        let deadline = ContinuousClock.now + Self.timeout
        while true {
            if try lock(F_WRLCK) {
                // Alone. Asked for without another lock, so that of many processes one gets it.
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

    /// Returns `true` if the lock was got.
    private func lock(_ type: CInt) throws(Errno) -> Bool {
        do throws(Errno) {
            try LocalFile.checked { tractfs_lock_file(file.descriptor, Int16(type)) }
            return true
        } catch {
            if error == .resourceTemporarilyUnavailable || error == .permissionDenied { return false }
            throw error
        }
    }

    /// The id of this start of the machine: containers share the kernel, and so its locks.
    private static let thisMachine: [UInt8] = {
        let id = try? LocalFile("/proc/sys/kernel/random/boot_id", O_RDONLY).read(36, at: 0)
        return id ?? Array("unknown".utf8)
    }()
}
