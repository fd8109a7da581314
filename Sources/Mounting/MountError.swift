import struct SystemPackage.Errno

/// The reason that mounting or unmounting failed.
public struct MountError: Error, CustomStringConvertible {
    /// One line for the user: the failure, its cause and a remedy.
    public let description: String

    /// Creates an error with this description, in which line breaks become spaces.
    public init(_ description: String) {
        self.description = description.split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// Creates the error of a system call that was needed to do `purpose`: "can't `purpose`: …".
    init(_ purpose: String, _ errno: Errno) {
        self.init("can't \(purpose): \(errno)")
    }
}
