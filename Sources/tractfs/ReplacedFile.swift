import Glibc
import SystemPackage
import SystemSupport

/// A file that others read at any time, and so is replaced as a whole: written beside its place, and renamed (rename(2)).
struct ReplacedFile {
    private let path: String

    init(_ path: String) {
        self.path = path
    }

    /// Replaces what the file holds.
    func write(_ text: String) throws(Failure) {
        guard isReplaceable else { return try writeThrough(text) }
        // Its name doesn't end as the file's does, so that nobody who looks for those takes it for one.
        let temporary = "\(path).\(getpid())~"
        do {
            let file = try FileDescriptor.open(
                FilePath(temporary), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            try file.closeAfter { _ = try file.writeAll(text.utf8) }
            guard rename(temporary, path) == 0 else { throw Errno(rawValue: errno) }
        } catch {
            unlink(temporary)
            throw Failure("can't write \(path): \(error)")
        }
    }

    /// Devices and pipes are written to: as root, a rename would put a file in the place of /dev/null.
    private var isReplaceable: Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return true }
        return [S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
    }

    private func writeThrough(_ text: String) throws(Failure) {
        do {
            let file = try FileDescriptor.open(FilePath(path), .writeOnly, options: .closeOnExec)
            try file.closeAfter { _ = try file.writeAll(text.utf8) }
        } catch {
            throw Failure("can't write \(path): \(error)")
        }
    }
}
