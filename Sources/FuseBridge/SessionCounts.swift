public import StateLog

/// The counters of a session, and the processes that serve it.
public struct SessionCounts: Sendable {
    /// The processes that serve the mount.
    public let supervision: Supervision
    /// The number of this server among those that have served the mount, from 1 on.
    public let generation: Int
    /// The counts of requests and replies of this server and those before it; `nil` without a supervisor.
    public let conversation: ConversationCount?
    /// `true` if the kernel accepts backing files.
    public let isPassthroughUsable: Bool
    /// The number of backing files that the kernel has now.
    public let backingFileCount: Int
    /// The number of opens that this server has answered with a backing file.
    public let passthroughOpenCount: Int

    init(of session: FuseSession) {
        supervision = Supervision(of: session)
        generation = Int(clamping: session.page?.takeoverCount ?? 0) + 1
        conversation = session.page?.count
        (isPassthroughUsable, backingFileCount, passthroughOpenCount) = session.passthrough.counts
    }
}
