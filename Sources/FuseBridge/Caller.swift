import CFuse
import Glibc
import SystemPackage
import SystemSupport

/// The thread that sent a request.
struct Caller: Hashable, Sendable {
    /// The thread ID; 0 for a thread outside of this process's PID namespace.
    let threadID: pid_t
    /// The user ID that came with the request.
    let userID: uid_t
    /// `true` if thread IDs may belong to another PID namespace, because another program made the mount.
    let isForeign: Bool

    /// The maximum size of the status file: more than the longest list of groups (NGROUPS_MAX) takes.
    private static let statusByteCountMax = 1 << 20

    /// Returns the meaning of an interrupt of the thread, according to its current signals.
    ///
    /// The request of a caller that cannot be seen continues. Otherwise a program would lose a file whenever a timer
    /// fires, and a request lasts no longer than `--read-timeout`.
    func interruptMeaning() -> InterruptMeaning {
        guard threadID > 0 else { return .goOn }
        guard let status else { return isGone ? .stop : .goOn }
        return mayBeAnother(status) ? .goOn : InterruptMeaning(of: status)
    }

    /// `true` if the thread in /proc may be a different one with the same number.
    var mayBeAnother: Bool {
        isForeign && (status.map(mayBeAnother) ?? true)
    }

    private func mayBeAnother(_ status: CallerStatus) -> Bool {
        // A caller with a request in flight has not ended.
        isForeign && (status.hasEnded || status.fileSystemUserID != userID)
    }

    private var status: CallerStatus? {
        let path = FilePath("/proc/\(threadID)/status")
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return nil }
        let text = try? file.closeAfter { try file.readToEnd(limit: Self.statusByteCountMax) }
        return text.flatMap { CallerStatus(parsing: $0) }
    }

    /// `true` if there is no such thread. A thread that /proc hides (`hidepid`) still accepts signals.
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
