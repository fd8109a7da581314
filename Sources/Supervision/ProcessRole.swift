/// The task of a process that another process of `tractfs mount` has started.
package enum ProcessRole: String, Sendable {
    /// Runs in the background and keeps a server running.
    case supervisor
    /// Mounts and serves.
    case server
    /// Serves the mount of an earlier server.
    case successor
    /// Checks that it could be a successor, and ends.
    case trial
    /// Continues as supervisor after execve(2), with a server of the previous version.
    case upgradedSupervisor
}
