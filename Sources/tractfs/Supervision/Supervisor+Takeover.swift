import FuseBridge
import Glibc
import Logging
import StateLog
import SystemPackage
import SystemSupport

extension Supervisor {
    /// Sees to it that the mount is served, until it ends.
    ///
    /// - Returns: The exit status.
    func supervise() -> CInt {
        // There is one when a server has said that it answers.
        guard let mount = state.look({ $0.mount }) else { return EXIT_FAILURE }
        var policy = RestartPolicy()
        while true {
            let end = waitForEnd()
            let (servedFor, isEnding) = state.change { state in
                defer { state.servingSince = nil }
                return (state.servingSince.map { ContinuousClock.now - $0 }, state.isEnding)
            }
            if let status = finalStatus(end, hasServed: servedFor != nil, isEnding: isEnding || mount.isGone) {
                leave(mount, end)
                return status
            }
            if let obstacle = obstacle { return giveUp(mount, end, obstacle) }
            let isUpgrade = end == .exited(status: HandOver.exitStatus)
            switch isUpgrade ? .restart(after: .zero) : policy.decide(after: end, servedFor: servedFor) {
            case .giveUp(let reason): return giveUp(mount, end, reason)
            case .restart(let pause):
                usleep(UInt32(pause / .microseconds(1)))
                takeOver(from: end, policy.logLevel)
            }
        }
    }

    /// Sees to it that nothing stays mounted, and that nobody waits for a server whose end could not be waited for.
    func leave(_ mount: SupervisedMount, _ end: ChildProcess.End) {
        if end == .unknown { mount.place.abort() }
        mount.place.detach(logger: logger)
    }

    /// The exit status, where a server that has ended like this gets no successor.
    private func finalStatus(_ end: ChildProcess.End, hasServed: Bool, isEnding: Bool) -> CInt? {
        switch end {
        case .exited(status: 0): 0
        // It has said why.
        case .exited(let status) where hasServed && status == EXIT_FAILURE: status
        // By somebody who wants it to end, before it could end in order.
        case .killed(SIGTERM), .killed(SIGINT), .killed(SIGHUP): EXIT_FAILURE
        default: isEnding ? EXIT_FAILURE : nil
        }
    }

    /// Why nobody can take over, where that is so.
    private var obstacle: String? {
        if !page.canBeTakenOver { return "this kernel hands out no dead server's requests again, as Linux 6.9 does" }
        guard let stateLog else { return "there is no log of the state" }
        return stateLog.isLost ? "the log of the state is not complete" : nil
    }

    /// Starts a successor, and waits until it serves or has ended.
    private func takeOver(from end: ChildProcess.End, _ logLevel: Logger.Level) {
        let begin = ContinuousClock.now
        page.noteTakeover()
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
        let message = "process \(server.process.id) has taken over after \(Int(time / .milliseconds(1))) ms"
        if isUpgrade {
            page.noteUpgrade(failure: nil)
            logger.notice("\(message): the mount is upgraded", metadata: ["version": "\(Tractfs.version)"])
        } else {
            logger.log(level: logLevel, "\(message): the process before has died (\(end))")
        }
    }

    /// Ends the mount, so that nobody waits for it any more.
    private func giveUp(_ mount: SupervisedMount, _ end: ChildProcess.End, _ reason: String) -> CInt {
        logger.critical(
            "the mount is ended: its process has died (\(end)), and no other can take over: \(reason)",
            metadata: ["mount": "\(mount.place.path)"])
        mount.place.abort()
        mount.place.detach(logger: logger)
        return EXIT_FAILURE
    }
}
