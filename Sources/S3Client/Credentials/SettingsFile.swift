import Glibc
import SystemPackage
import SystemSupport

/// Reads files of settings, and writes what other tools read again.
enum SettingsFile {
    /// Such files have a few kilobytes.
    private static let byteLimit = 1 << 20

    /// The text of the file, or `nil` where there is none.
    static func text(at path: String) throws(SettingsError) -> String? {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                let bytes = try file.readToEnd(limit: byteLimit)
                guard bytes.count < byteLimit else { throw Errno.fileTooLarge }
                return String(decoding: bytes, as: UTF8.self)
            }
        } catch {
            guard let errno = error as? Errno else { throw SettingsError("\(path) can't be read: \(error)") }
            if errno == .noSuchFileOrDirectory || errno == .notDirectory { return nil }
            throw SettingsError("\(path) can't be read: \(errno)")
        }
    }

    /// The token that a file holds, without the line break that may stand behind it.
    ///
    /// - Parameter source: What names the file, for errors.
    static func token(at path: String, namedBy source: String) throws(SettingsError) -> String {
        guard let text = try text(at: path) else {
            throw SettingsError("there is no file \(path), which \(source) names")
        }
        let end = text.lastIndex { !$0.isWhitespace }.map(text.index(after:)) ?? text.startIndex
        let token = text[..<end]
        guard !token.isEmpty, token.utf8.allSatisfy(\.isPrintableASCII) else {
            throw SettingsError("\(path), which \(source) names, holds no token")
        }
        return String(token)
    }

    /// Puts a file in the place of another one, in one step: who reads it sees the old one or the new one. It stays its
    /// owner's, also where root writes it, and nobody else may read it.
    static func replace(_ path: String, with text: String) throws(Errno) {
        var template = Array("\(path).XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let file = FileDescriptor(rawValue: descriptor)
        do {
            try file.closeAfter {
                var old = stat()
                if stat(path, &old) == 0 { _ = fchown(descriptor, old.st_uid, old.st_gid) }
                try file.writeAll(text.utf8)
                guard fsync(descriptor) == 0, rename(template, path) == 0 else { throw Errno(rawValue: errno) }
            }
        } catch {
            unlink(template)
            throw error as? Errno ?? .ioError
        }
    }
}
