package import MountControl

/// A mount and its status, as a command has received it.
package struct ObservedMount {
    /// The mount point, and the mounted location.
    let mountPoint: String
    let source: String
    /// The status, or the reason that there is none.
    let status: Result<MountStatus, any Error>

    /// Creates a mount with a status, or with the reason that there is none.
    package init(mountPoint: String, source: String, status: Result<MountStatus, any Error>) {
        self.mountPoint = mountPoint
        self.source = source
        self.status = status
    }
}
