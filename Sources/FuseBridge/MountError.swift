import SystemPackage

/// Why something can't be mounted or unmounted.
public struct MountError: Error, CustomStringConvertible {
    /// One sentence for a person: what is wrong, where, and what to do.
    public let description: String

    init(_ description: String) {
        self.description = description
    }

    /// A system call failed on the way to `purpose`.
    init(_ purpose: String, _ errno: Errno) {
        description = "can't \(purpose): \(errno)"
    }
}
