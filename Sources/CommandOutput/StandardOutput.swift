import SystemPackage
package import SystemSupport

/// Standard output: for the results of a command.
package enum StandardOutput {
    /// Writes `text`.
    ///
    /// - Throws: If not all of it can be written: a script must not take a part of a list for the whole.
    package static func write(_ text: String) throws(Failure) {
        do {
            try FileDescriptor.standardOutput.writeAll(text.utf8)
        } catch {
            throw Failure("can't write to standard output: \(error)")
        }
    }
}
