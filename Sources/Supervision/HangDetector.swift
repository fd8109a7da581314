import StateLog

/// Detects a hanging server from regular samples. Counts samples instead of time, so that the sleep of a machine or a
/// stopped supervisor has no effect.
struct HangDetector {
    /// The state of a server at one moment.
    struct Sample {
        /// The counts of requests, replies and pieces of responses.
        var count: ConversationCount
        /// `true` if the kernel has requests that no server has taken.
        var hasPending: Bool
        /// `true` if the server is stopped (SIGSTOP, a debugger) or frozen.
        var isStopped: Bool
        /// `true` if the mount has ended, which a working server notices.
        var isMountGone: Bool
    }

    /// The symptom of a hanging server.
    enum Symptom: String {
        case takesNoRequests = "it takes no requests"
        case sendsNoReplies = "it answers no request of those that it has taken"
        case outlivesMount = "its mount is gone, and it does not end"
    }

    /// The number of samples in a row without progress that make a hang.
    let sampleLimit: Int
    private var last: ConversationCount?
    /// The number of samples in a row with pending requests of which none was taken.
    private var untakenCount = 0
    /// The number of samples in a row with unanswered requests, and neither a reply nor a piece of a response.
    private var unansweredCount = 0
    private var goneCount = 0

    init(sampleLimit: Int) {
        self.sampleLimit = sampleLimit
    }

    /// Adds a sample. Returns a symptom if the server hangs.
    mutating func observe(_ sample: Sample) -> Symptom? {
        defer { last = sample.count }
        // A stopped server doesn't hang, and has the full time again when it continues.
        if sample.isStopped {
            (untakenCount, unansweredCount, goneCount) = (0, 0, 0)
            return nil
        }
        untakenCount = sample.hasPending && sample.count.taken == last?.taken ? untakenCount + 1 : 0
        let isSilent = sample.count.answered == last?.answered && sample.count.received == last?.received
        unansweredCount = sample.count.owed > 0 && isSilent ? unansweredCount + 1 : 0
        goneCount = sample.isMountGone ? goneCount + 1 : 0
        if untakenCount >= sampleLimit { return .takesNoRequests }
        if unansweredCount >= sampleLimit { return .sendsNoReplies }
        if goneCount >= sampleLimit { return .outlivesMount }
        return nil
    }
}
