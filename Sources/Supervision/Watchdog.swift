import Glibc
import Logging
import Mounting
import StateLog
import SystemSupport

/// Ends a hanging server, so that another one takes over. Sends SIGABRT first, so that the log shows where the server
/// hung, and SIGKILL if that fails. If two servers in a row can't be ended, aborts the mount, so that no process waits
/// for it.
struct Watchdog {
    /// The time without progress that is allowed beyond the timeout of a read.
    private static let margin: Duration = .seconds(30)
    /// The timeout for the end of a process after a deadly signal.
    private static let endTimeout: Duration = .seconds(5)
    private static let intervalMax: Duration = .seconds(1)

    let supervisor: Supervisor
    let mount: SupervisedMount
    /// The time between two samples, and the number of samples without progress that make a hang.
    private let interval: Duration
    private let sampleLimit: Int

    init(_ supervisor: Supervisor, _ mount: SupervisedMount) {
        self.supervisor = supervisor
        self.mount = mount
        let timeout =
            TestOverrides(environment: supervisor.environment).hangTimeout ?? supervisor.readTimeout + Self.margin
        interval = min(Self.intervalMax, timeout / 4)
        sampleLimit = Int((timeout / interval).rounded(.up))
    }

    /// Starts a thread that takes samples.
    func start() {
        DetachedThread.start { self.run() }
    }

    private func run() {
        var detector = HangDetector(sampleLimit: sampleLimit)
        var last: ChildProcess?
        var endedCount = 0
        // The previous server, if it could not be ended.
        var undead: Int32?
        while true {
            usleep(UInt32(interval / .microseconds(1)))
            guard let process = supervisor.state.look({ $0.server }) else { continue }
            if process.id != last?.id {
                detector = HangDetector(sampleLimit: sampleLimit)
                endedCount = 0
                if last?.id != undead { undead = nil }
            }
            last = process
            let stat = ProcessStat(of: process.id)
            endedCount = stat?.hasEnded == true ? endedCount + 1 : 0
            if endedCount >= 2 {
                // A thread of it hangs in the kernel, so that waiting doesn't return. Possibly only a successor can
                // answer that thread's request.
                supervisor.noteEnd(of: process, .unknown)
            } else if let symptom = detector.observe(sample(process.id, stat)) {
                if !end(process, symptom) {
                    abandon(process, isFirst: undead == nil)
                    undead = process.id
                }
                detector = HangDetector(sampleLimit: sampleLimit)
            }
        }
    }

    private func sample(_ process: Int32, _ stat: ProcessStat?) -> HangDetector.Sample {
        var count = supervisor.sharedState.count
        // The kernel's own count, where available, includes requests that a thread has taken and not counted yet.
        if let waiting = mount.identity.waitingCount { count.owed = max(count.owed, waiting) }
        let hasPending = mount.hasPending
        let isStopped = stat?.isStopped ?? false
        // Reads the control groups only while there are requests.
        let isFrozen = !isStopped && (hasPending || count.owed > 0) && ControlGroups.areFrozen(of: process)
        return HangDetector.Sample(
            count: count, hasPending: hasPending, isStopped: isStopped || isFrozen, isMountGone: mount.isGone)
    }

    /// Ends a hanging server. Returns `true` if it has ended.
    private func end(_ process: ChildProcess, _ symptom: HangDetector.Symptom) -> Bool {
        supervisor.logger.critical(
            "the serving process \(process.id) hangs: \(symptom.rawValue); it is ended",
            metadata: ["mount": "\(mount.identity.path)", "threads": "\(ProcessThreads(of: process.id))"])
        supervisor.signalServer(SIGABRT)
        // A server that was stopped meanwhile dies when it continues.
        supervisor.signalServer(SIGCONT)
        if supervisor.waitForEnd(of: process.id, within: Self.endTimeout) { return true }
        supervisor.signalServer(SIGKILL)
        return supervisor.waitForEnd(of: process.id, within: Self.endTimeout)
    }

    /// Stops waiting for the end of a killed server, a thread of which hangs in the kernel, possibly for a request that
    /// only a successor answers. If this happens to the successor too, aborts the mount.
    private func abandon(_ process: ChildProcess, isFirst: Bool) {
        if isFirst {
            supervisor.logger.critical("the serving process \(process.id) can't be ended; another one takes over")
        } else {
            supervisor.logger.critical("the serving process can't be ended; all requests are given an error")
            mount.identity.abort()
        }
        supervisor.noteEnd(of: process, .unknown)
    }
}
