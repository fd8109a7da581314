import SystemPackage

/// Reads files of settings.
enum SettingsFile {
    /// Such files have a few kilobytes.
    private static let byteLimit = 1 << 20

    /// The text of the file, or `nil` where there is none.
    static func text(at path: String) throws(SettingsError) -> String? {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                var bytes = [UInt8](repeating: 0, count: byteLimit)
                var count = 0
                while count < byteLimit {
                    let readCount = try bytes.withUnsafeMutableBytes {
                        try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
                    }
                    if readCount == 0 { return String(decoding: bytes[..<count], as: UTF8.self) }
                    count += readCount
                }
                throw Errno.fileTooLarge
            }
        } catch {
            guard let errno = error as? Errno else { throw SettingsError("\(path) can't be read: \(error)") }
            if errno == .noSuchFileOrDirectory || errno == .notDirectory { return nil }
            throw SettingsError("\(path) can't be read: \(errno)")
        }
    }
}
