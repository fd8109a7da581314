import SystemPackage

/// Standard error: for warnings and failures.
package enum StandardError {
    /// Writes `message` as a line, behind the program's name.
    package static func tell(_ message: String) {
        write("tractfs: \(message)\n")
    }

    /// Writes `text` as it is.
    static func write(_ text: String) {
        _ = try? FileDescriptor.standardError.writeAll(text.utf8)
    }
}
