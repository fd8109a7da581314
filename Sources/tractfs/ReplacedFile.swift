import Glibc
import SystemPackage
import SystemSupport

/// A file that other programs may read at any time. It is replaced as a whole: written under another name, and renamed
/// (rename(2)).
struct ReplacedFile {
    private let path: String

    init(_ path: String) {
        self.path = path
    }

    /// Replaces the content of the file.
    func write(_ text: String) throws(Failure) {
        guard isReplaceable else { return try writeThrough(text) }
        // The name has another ending, so that programs that search by ending don't find it.
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

    /// `false` for devices and pipes, which are written to: as root, a rename would replace /dev/null by a file.
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
