import SystemPackage

/// What goes wrong is told here.
enum StandardError {
    /// Writes `message` as a line of ours.
    static func tell(_ message: String) {
        _ = try? FileDescriptor.standardError.writeAll("tractfs: \(message)\n".utf8)
    }
}
