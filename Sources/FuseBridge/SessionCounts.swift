public import StateLog

/// What a session has done, and who does it.
public struct SessionCounts: Sendable {
    /// Who serves the mount.
    public let supervision: Supervision
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

    init(of session: FuseSession) {
        supervision = Supervision(of: session)
        generation = Int(clamping: session.page?.takeoverCount ?? 0) + 1
        conversation = session.page?.count
        (canLendFiles, lentFileCount, lentOpenCount) = session.passthrough.counts
    }
}
