import Glibc
package import Mounting
package import SystemPackage
import SystemSupport

/// The process with which a mount ends (`--owner-pid`): a program that mounts for itself, and may be killed.
package struct MountOwner: Sendable {
    /// The process as an open file, which the processes of the mount hand on.
    package let file: FileDescriptor

    /// Opens the process with this number.
    ///
    /// - Throws: If there is none, or if it is another process than the one whose number was given.
    package init(process: Int32) throws(MountError) {
        do {
            file = try ProcessFile.open(process)
        } catch .noSuchProcess {
            throw Self.missing(process)
        } catch {
            throw MountError("--owner-pid \(process): the process can't be watched (\(error))")
        }
        do throws(MountError) {
            if ProcessFile.hasEnded(file) { throw Self.missing(process) }
            guard let start = ProcessStat(of: process)?.startTime, let ownStart = ProcessStat(of: getpid())?.startTime
            else {
                let reason = "its start can't be read from /proc, which may be mounted with hidepid"
                throw MountError("--owner-pid \(process): \(reason); give a process of your own")
            }
            // The owner may have ended, and its number belong to a process that was started since. An owner exists
            // before the command that is given its number.
            guard start <= ownStart else {
                throw MountError("--owner-pid \(process): that process has ended, and another one has its number now")
            }
        } catch {
            try? file.close()
            throw error
        }
    }

    private static func missing(_ process: Int32) -> MountError {
        MountError("--owner-pid \(process): there is no such process")
    }

    /// Uses the file that another process of the mount has handed on.
    package init(inheriting file: FileDescriptor) {
        self.file = file
    }
}
