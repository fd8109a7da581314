import SystemPackage
import SystemSupport

/// Reads files of settings.
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
}
