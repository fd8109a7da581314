import Glibc
public import MountControl
public import StateLog

/// The counters of a session, and the processes that serve it.
public struct SessionCounts: Sendable {
    /// The processes behind the mount.
    public let processes: MountProcesses
    /// The number of this server among those that have served the mount, from 1 on.
    public let generation: Int
    /// The requests and replies of all servers of this mount so far; `nil` without a supervisor.
    public let conversation: ConversationCount?
    /// `true` if the kernel accepts backing files.
    public let isPassthroughUsable: Bool
    /// The number of backing files that the kernel has now.
    public let backingFileCount: Int
    /// The number of opens that this server has answered with a backing file.
    public let passthroughOpenCount: Int

    init(_ configuration: FuseSession.Configuration, _ passthrough: Passthrough) {
        let page = configuration.page
        processes = MountProcesses(
            server: getpid(),
            // A supervisor that has died is no parent any more.
            supervisor: page.flatMap { getppid() == $0.supervisor ? $0.supervisor : nil },
            upgradeCount: Int(clamping: page?.upgradeCount ?? 0), upgradeFailure: page?.upgradeFailure,
            version: configuration.version)
        generation = Int(clamping: page?.takeoverCount ?? 0) + 1
        conversation = page?.count
        (isPassthroughUsable, backingFileCount, passthroughOpenCount) = passthrough.counts
    }
}
