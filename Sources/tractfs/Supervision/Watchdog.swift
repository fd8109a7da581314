import FuseBridge
import Glibc
import Logging
import SystemSupport

/// Looks whether a server hangs, and ends one that does: as a crash, so that the log has where it hung, and another one takes
/// over; by force where that doesn't help; and where two in a row can't be ended, it ends the mount, so that nobody waits for it any
/// more.
struct Watchdog {
    /// Sets how long a server may hang, in seconds; for tests.
    static let variable = "TRACTFS_WATCHDOG_SECONDS"
    /// How much longer than a read may take, when nothing comes from the network.
    static let margin: Duration = .seconds(30)
    /// How long a process that was sent a deadly signal has for its end.
    private static let endPatience: Duration = .seconds(5)
    private static let lookInterval: Duration = .seconds(1)

    let supervisor: Supervisor
    let mount: SupervisedMount
    /// How often is looked, and how often a server may be found without progress.
    private let interval: Duration
    private let lookLimit: Int

    init(_ supervisor: Supervisor, _ mount: SupervisedMount, readTimeout: Duration) {
        self.supervisor = supervisor
        self.mount = mount
        let given = getenv(Self.variable).flatMap { Double(String(cString: $0)) }.flatMap { seconds in
            (0.1...1e6).contains(seconds) ? Duration.seconds(seconds) : nil
        }
        let patience = given ?? readTimeout + Self.margin
        interval = min(Self.lookInterval, patience / 4)
        lookLimit = Int((patience / interval).rounded(.up))
    }

    /// Begins to look, on a thread of its own.
    func start() {
        DetachedThread.start { self.run() }
    }

    private func run() {
        var stall = Stall(lookLimit: lookLimit)
        var last: ChildProcess?
        var endedCount = 0
        // The server before this one, if it could not be ended.
        var undead: Int32?
        while true {
            usleep(UInt32(interval / .microseconds(1)))
            guard let process = supervisor.state.look({ $0.server }) else { continue }
            if process.id != last?.id {
                stall = Stall(lookLimit: lookLimit)
                endedCount = 0
                if last?.id != undead { undead = nil }
            }
            last = process
            let processState = ProcessState(of: process.id)
            endedCount = processState?.hasEnded == true ? endedCount + 1 : 0
            if endedCount >= 2 {
                // Its end can't be waited for: a thread of it hangs in the kernel, perhaps for what only a successor answers.
                supervisor.noteEnd(of: process, .unknown)
            } else if let finding = stall.look(look(process.id, processState)) {
                if !end(process, finding) {
                    leave(process, isFirst: undead == nil)
                    undead = process.id
                }
                stall = Stall(lookLimit: lookLimit)
            }
        }
    }

    private func look(_ process: Int32, _ processState: ProcessState?) -> Stall.Look {
        var count = supervisor.page.count
        // The kernel's own count, where it can be read, has also what a thread has taken and has not come to note.
        if let waiting = mount.place.waitingCount { count.owed = max(count.owed, waiting) }
        let hasPending = mount.hasPending
        let isStopped = processState?.isStopped ?? false
        // No request waits for one that has nothing to do.
        let isFrozen = !isStopped && (hasPending || count.owed > 0) && ProcessState.isFrozen(process)
        return Stall.Look(
            count: count, hasPending: hasPending, isStopped: isStopped || isFrozen, isMountGone: mount.isGone)
    }

    /// Ends a server that hangs. Returns whether it has ended.
    private func end(_ process: ChildProcess, _ finding: Stall.Finding) -> Bool {
        supervisor.logger.critical(
            "the serving process \(process.id) hangs: \(finding.rawValue); it is ended",
            metadata: ["mount": "\(mount.place.path)", "threads": "\(ProcessThreads(of: process.id))"])
        supervisor.signalServer(SIGABRT)
        // One that was stopped meanwhile dies when it goes on.
        supervisor.signalServer(SIGCONT)
        if hasEnded(process) { return true }
        supervisor.signalServer(SIGKILL)
        return hasEnded(process)
    }

    /// Goes on without waiting for the end of a server that was killed: a thread of it hangs in the kernel, perhaps for what only
    /// a successor answers. Where the successor came to the same, that was no help, and the mount is ended.
    private func leave(_ process: ChildProcess, isFirst: Bool) {
        if isFirst {
            supervisor.logger.critical("the serving process \(process.id) can't be ended; another one takes over")
        } else {
            supervisor.logger.critical("the serving process can't be ended; all requests are given an error")
            mount.place.abort()
        }
        supervisor.noteEnd(of: process, .unknown)
    }

    private func hasEnded(_ process: ChildProcess) -> Bool {
        let deadline = ContinuousClock.now + Self.endPatience
        while ContinuousClock.now < deadline {
            if supervisor.state.look({ $0.server?.id }) != process.id { return true }
            usleep(20_000)
        }
        return false
    }
}
