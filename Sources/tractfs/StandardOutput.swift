import SystemPackage

/// What a command was asked for goes here.
enum StandardOutput {
    /// Writes `text`.
    ///
    /// - Throws: That it couldn't: a script that takes half a list for the whole is worse off than one that stops.
    static func write(_ text: String) throws(Failure) {
        do {
            try FileDescriptor.standardOutput.writeAll(text.utf8)
        } catch {
            throw Failure("can't write to standard output: \(error)")
        }
    }
}
