import ArgumentParser
import CommandOutput
import Glibc
import SystemPackage
import SystemSupport

/// The paths in mounts that a command was given.
enum MountPaths {
    /// Calls `body` with each path. Prints each failure at once, and continues with the next path.
    ///
    /// - Throws: The exit status of a command, if any path failed.
    static func forEach(_ paths: [String], _ body: (String) throws(Failure) -> Void) throws(ExitCode) {
        var hasFailed = false
        for path in paths {
            do throws(Failure) {
                // Some system calls would take it for the working directory.
                if path.isEmpty { throw Failure("a path is empty; give a folder or a file in a mount") }
                try check(path)
                try body(path)
            } catch {
                StandardError.tell(error.description)
                hasFailed = true
            }
        }
        if hasFailed { throw .failure }
    }

    /// Checks that `path` isn't the URI of a bucket.
    static func check(_ path: String) throws(Failure) {
        guard path.hasPrefix("s3:") else { return }
        throw Failure("\(path) is no path; give that of its mount, which tractfs status tells")
    }

    /// Returns the failure of a request to the mount at `path`.
    static func failure(_ path: String, _ errno: Errno) -> Failure {
        switch errno {
        case .inappropriateIOCTLForDevice, .notSupportedOnSocket, .noFunction:
            Failure("\(path) is not in a tractfs mount, or in one that another version serves")
        case .protocolNotSupported:
            Failure(
                "\(path) is served by another version of tractfs; have it served by this one: tractfs upgrade \(path)")
        case .noSuchAddressOrDevice:
            Failure("\(path) is only in the overlay; the bucket has no folder of that name there")
        case Errno(rawValue: ENOTCONN), Errno(rawValue: ECONNABORTED):
            Failure("\(path): the process that served this mount is gone; unmount it")
        default:
            Failure("\(path): \(errno)")
        }
    }
}
