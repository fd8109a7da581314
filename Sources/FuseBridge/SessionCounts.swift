import Glibc
public import MountControl

/// The counters of a session.
public struct SessionCounts: Sendable {
    /// The processes behind the mount.
    public let processes: MountProcesses
    /// Which server this is of those that have served the mount, from 1 on.
    public let generation: Int
    /// What has passed between the kernel and this server and those before it; `nil` where nobody counts.
    public let conversation: ConversationCount?
    /// Whether the kernel takes files of the cache.
    public let canLendFiles: Bool
    /// How many files the kernel has of us just now, to read from by itself.
    public let lentFileCount: Int
    /// How many opens were answered with such a file, since this server began.
    public let lentOpenCount: Int

    init(_ page: SupervisionPage?, _ passthrough: Passthrough, version: String) {
        processes = MountProcesses(
            server: getpid(),
            // A supervisor that has died is no parent any more.
            supervisor: page.flatMap { getppid() == $0.supervisor ? $0.supervisor : nil },
            upgradeCount: Int(clamping: page?.upgradeCount ?? 0), upgradeFailure: page?.upgradeFailure,
            version: version)
        generation = Int(clamping: page?.takeoverCount ?? 0) + 1
        conversation = page?.count
        (canLendFiles, lentFileCount, lentOpenCount) = passthrough.counts
    }
}
