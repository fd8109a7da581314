import Glibc
import Logging
import Mounting
import StateLog
import SystemPackage
import SystemSupport

extension Supervisor {
    /// Keeps the mount served until it ends.
    ///
    /// - Returns: The exit status.
    package func supervise() -> CInt {
        // The mount exists, because a server has reported that it answers.
        guard let mount = state.look({ $0.mount }) else { return EXIT_FAILURE }
        service.noteReady(mount.identity, server: state.look { $0.server?.id })
        var policy = RestartPolicy()
        while true {
            let end = waitForEnd()
            let (servedFor, isEnding) = state.change { state in
                defer { state.servingSince = nil }
                return (state.servingSince.map { ContinuousClock.now - $0 }, state.isEnding)
            }
            if let status = finalStatus(end, hasServed: servedFor != nil, isEnding: isEnding || mount.isGone) {
                if !isEnding { service.noteEnd("unmounted") }
                leave(mount, end)
                return status
            }
            if let obstacle = takeoverObstacle { return giveUp(mount, end, obstacle) }
            let isUpgrade = end == .exited(status: ServerProcess.handoverExitStatus)
            switch isUpgrade ? .restart(after: .zero) : policy.decide(after: end, servedFor: servedFor) {
            case .giveUp(let reason): return giveUp(mount, end, reason)
            case .restart(let pause):
                state.wait(atMost: pause) { $0.isEnding }
                takeOver(from: end, policy.logLevel)
            }
        }
    }

    /// Detaches the mount. Aborts it if its server's end could not be waited for, so that no process waits for that
    /// server.
    func leave(_ mount: SupervisedMount, _ end: ChildProcess.End) {
        if end == .unknown { mount.identity.abort() }
        mount.identity.detach(logger: logger)
    }

    /// Returns the exit status if a server with this end gets no successor.
    private func finalStatus(_ end: ChildProcess.End, hasServed: Bool, isEnding: Bool) -> CInt? {
        switch end {
        case .exited(status: 0): 0
        // The server has logged the reason.
        case .exited(let status) where hasServed && status == EXIT_FAILURE: status
        // The signal was repeated before the server could end in order.
        case .killed(SIGTERM), .killed(SIGINT), .killed(SIGHUP): EXIT_FAILURE
        default: isEnding ? EXIT_FAILURE : nil
        }
    }

    /// The reason that no server can take over; `nil` if one can.
    private var takeoverObstacle: String? {
        if !sharedState.canBeTakenOver {
            return "this kernel hands out no dead server's requests again, as Linux 6.9 does"
        }
        guard let stateLog else { return "there is no log of the state" }
        return stateLog.isLost ? "the log of the state is not complete" : nil
    }

    /// Starts a successor, and waits until it serves or has ended.
    private func takeOver(from end: ChildProcess.End, _ logLevel: Logger.Level) {
        let begin = ContinuousClock.now
        sharedState.noteTakeover()
        do {
            let server = try start(.successor)
            defer { closeReports(of: server) }
            guard let (report, _) = ServerReport.receive(over: server.reports) else { return }
            guard case .tookOver = report else {
                if case .failed(let reason) = report { logger.error("a new serving process can't serve: \(reason)") }
                return
            }
            noteTakeover(by: server, from: end, time: ContinuousClock.now - begin, logLevel)
        } catch {
            logger.error("a new serving process can't be started: \(error)")
            state.change { $0.end = .unknown }
        }
    }

    private func noteTakeover(
        by server: ServerProcess, from end: ChildProcess.End, time: Duration, _ logLevel: Logger.Level
    ) {
        let isUpgrade = state.change { state in
            defer { state.isUpgrading = false }
            state.servingSince = .now
            return state.isUpgrading
        }
        if let mount = state.look({ $0.mount }) { service.noteTakeover(mount.identity, server: server.process.id) }
        let message = "process \(server.process.id) has taken over after \(Int(time / .milliseconds(1))) ms"
        if isUpgrade {
            sharedState.noteUpgrade(failure: nil)
            logger.notice("\(message): the mount is upgraded", metadata: ["version": "\(version)"])
        } else {
            logger.log(level: logLevel, "\(message): the process before has died (\(end))")
        }
    }

    /// Ends the mount, so that all processes that wait for it get an error.
    private func giveUp(_ mount: SupervisedMount, _ end: ChildProcess.End, _ reason: String) -> CInt {
        logger.critical(
            "the mount is ended: its process has died (\(end)), and no other can take over: \(reason)",
            metadata: ["mount": "\(mount.identity.path)"])
        service.noteEnd("its process has died, and no other can take over: \(reason)")
        mount.identity.abort()
        mount.identity.detach(logger: logger)
        return EXIT_FAILURE
    }
}
