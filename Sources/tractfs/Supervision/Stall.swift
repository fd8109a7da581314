import FuseBridge

/// Whether a server hangs, judged by looking at it every now and then. Knows no clock: looks are counted, so that a machine
/// that slept, or a supervisor that was stopped, means nothing.
struct Stall {
    /// What is seen at one look.
    struct Look {
        /// What has passed between the kernel, the server and its store.
        var count: ConversationCount
        /// Whether there are requests that nobody has taken.
        var hasPending: Bool
        /// `true` if it can't run, because it was stopped (SIGSTOP, a debugger) or frozen.
        var isStopped: Bool
        /// Whether the mount has ended, which a server that works would have noticed.
        var isMountGone: Bool
    }

    /// So many looks in a row without progress, and the server hangs.
    let lookLimit: Int
    private var last: ConversationCount?
    /// For how many looks requests have lain there, and none was taken.
    private var untakenCount = 0
    /// For how many looks answers were owed, none was given, and nothing came from the store.
    private var unansweredCount = 0
    private var goneCount = 0

    init(lookLimit: Int) {
        self.lookLimit = lookLimit
    }

    /// What a server hangs by, for a person.
    enum Finding: String {
        case untaken = "it takes no requests"
        case unanswered = "it answers no request of those that it has taken"
        case gone = "its mount is gone, and it does not end"
    }

    /// Takes one look.
    mutating func look(_ look: Look) -> Finding? {
        defer { last = look.count }
        // One that can't run doesn't hang, and has all the time when it goes on.
        if look.isStopped {
            (untakenCount, unansweredCount, goneCount) = (0, 0, 0)
            return nil
        }
        untakenCount = look.hasPending && look.count.taken == last?.taken ? untakenCount + 1 : 0
        let isSilent = look.count.answered == last?.answered && look.count.received == last?.received
        unansweredCount = look.count.owed > 0 && isSilent ? unansweredCount + 1 : 0
        goneCount = look.isMountGone ? goneCount + 1 : 0
        if untakenCount >= lookLimit { return .untaken }
        if unansweredCount >= lookLimit { return .unanswered }
        if goneCount >= lookLimit { return .gone }
        return nil
    }
}
