import ArgumentParser
import FuseBridge
import Glibc
import SystemPackage

/// Does something for each of several paths in mounts: what goes wrong with one is told at once, and the others are done
/// all the same.
enum MountPaths {
    /// Calls `body` with each path.
    ///
    /// - Throws: That the exit status isn't 0, if something went wrong.
    static func forEach(_ paths: [String], _ body: (String) throws(Failure) -> Void) throws(ExitCode) {
        var hasFailed = false
        for path in paths {
            do throws(Failure) {
                // Else it would be the folder that the command is typed in, for one of them.
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

    /// Looks whether `path` is one.
    ///
    /// - Throws: That a bucket isn't.
    static func check(_ path: String) throws(Failure) {
        guard path.hasPrefix("s3:") else { return }
        throw Failure("\(path) is no path; give that of its mount, which tractfs status tells")
    }

    /// What an error means that asking a mount about `path` ended with.
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
