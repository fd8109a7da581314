/// The processes behind a mount.
public struct MountProcesses: Codable, Sendable {
    /// The process that serves the mount.
    public let server: Int32
    /// The process that restarts the server when it dies; `nil` if there is none.
    public let supervisor: Int32?
    /// The number of upgrades that have ended.
    public let upgradeCount: Int
    /// The reason that the last upgrade failed; `nil` if it succeeded.
    public let upgradeFailure: String?
    /// The version of the server's program.
    public let version: String

    /// Creates a description of these processes.
    public init(server: Int32, supervisor: Int32?, upgradeCount: Int, upgradeFailure: String?, version: String) {
        self.server = server
        self.supervisor = supervisor
        self.upgradeCount = upgradeCount
        self.upgradeFailure = upgradeFailure
        self.version = version
    }
}
