import CFuse
import Glibc
import SystemPackage
import SystemSupport

/// The thread that sent a request.
struct Caller: Hashable, Sendable {
    /// The thread's ID; 0 for one that this process's namespace of processes doesn't have.
    let threadID: pid_t
    /// The user ID that came with the request.
    let userID: uid_t
    /// `true` if thread IDs may be another namespace's: the mount was made by another program.
    let isForeign: Bool

    /// More than the longest list of groups takes (NGROUPS_MAX).
    private static let statusByteCountMax = 1 << 20

    /// Returns the meaning of an interrupt of the thread, as its signals are now.
    ///
    /// A caller that can't be seen goes on: to end its request would lose a file under any timer, and a request lasts no
    /// longer than `--read-timeout`.
    func interruptMeaning() -> InterruptMeaning {
        guard threadID > 0 else { return .goOn }
        guard let status else { return isGone ? .stop : .goOn }
        return mayBeAnother(status) ? .goOn : InterruptMeaning(of: status)
    }

    /// `true` if the thread that /proc shows may be another one of the same number.
    var mayBeAnother: Bool {
        isForeign && (status.map(mayBeAnother) ?? true)
    }

    private func mayBeAnother(_ status: CallerStatus) -> Bool {
        // A caller that waits has not ended.
        isForeign && (status.hasEnded || status.fileSystemUserID != userID)
    }

    private var status: CallerStatus? {
        let path = FilePath("/proc/\(threadID)/status")
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return nil }
        let text = try? file.closeAfter { try file.readToEnd(limit: Self.statusByteCountMax) }
        return text.flatMap { CallerStatus(parsing: $0) }
    }

    /// `true` if there is no such thread; one that /proc hides (`hidepid`) still takes signals.
    private var isGone: Bool {
        !isForeign && kill(threadID, 0) != 0 && errno == ESRCH
    }
}

extension Caller {
    /// The thread that sent `request`.
    init(of request: fuse_req_t, isForeign: Bool) {
        let context = fuse_req_ctx(request).pointee
        self.init(threadID: context.pid, userID: context.uid, isForeign: isForeign)
    }
}
