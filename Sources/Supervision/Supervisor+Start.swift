import Glibc
import Logging
import Mounting
import SystemPackage
import SystemSupport

extension Supervisor {
    /// Starts the first server, and waits until the mount answers.
    ///
    /// - Parameter report: The connection to the waiting command; `nil` in the foreground, where the user sees the log.
    /// - Throws: The reason that there is no mount.
    package func mount(reportingTo report: StartReport?) throws {
        let server = try start(.server)
        defer { closeReports(of: server) }
        while let (message, device) = ServerReport.receive(over: server.reports) {
            switch message {
            case .mounted(let identity):
                if let device { noteMounted(SupervisedMount(identity, device)) }
            case .answers:
                state.change { $0.servingSince = .now }
                return
            case .failed(let reason):
                _ = waitForEnd()
                throw MountError(reason)
            case .waiting(let reason):
                service.noteWaiting()
                let isWanted =
                    reason.isEmpty ? report?.isHeard : report?.notice("waiting for the network: \(reason)")
                if isWanted == false { end(by: SIGTERM) }
            case .tookOver:
                break
            }
        }
        let end = waitForEnd()
        if let mount = state.look({ $0.mount }) { leave(mount, end) }
        if state.look({ $0.isEnding }) {
            overlay?.close()
            report?.fail("the mount was ended before it answered, by a signal or because its owner has ended")
            exit(end == .exited(status: 0) ? EXIT_SUCCESS : EXIT_FAILURE)
        }
        throw Self.unexpectedEnd(end)
    }

    /// Reports success to the waiting command, and releases its terminal and working directory. Ends the mount if the
    /// command is gone.
    package func detachFromCommand(_ report: StartReport) {
        OwnProgram.detachFromTerminal()
        if !report.succeed() { end(by: SIGTERM) }
    }

    // MARK: Signals

    /// The signal by which `tractfs upgrade` asks a supervisor for an upgrade, and a supervisor its server for a
    /// handover.
    package static let upgradeSignal = SIGUSR2

    /// Handles signals from now on. Call this before any thread is started.
    ///
    /// - Parameter reopen: Reopens the log at SIGHUP; `nil` if that signal ends the mount.
    package func handleSignals(reopenLog reopen: (@Sendable () -> Void)?) {
        // If SIGCHLD were ignored, as possibly inherited, the kernel would not keep the status of children (wait(2)).
        signal(SIGCHLD, SIG_DFL)
        SignalThread.start([SIGTERM, SIGINT, SIGHUP, Self.upgradeSignal]) { [self] signal in
            switch signal {
            case Self.upgradeSignal:
                upgrade()
            case SIGHUP where reopen != nil:
                reopen?()
                signalServer(SIGHUP)
            default:
                end(by: signal)
            }
            return true
        }
    }

    /// Ends the mount when its owner has ended. Call this after `handleSignals`.
    package func endWithOwner() {
        guard let owner else { return }
        DetachedThread.start { [self] in
            ProcessFile.waitForEnd(of: owner.file)
            logger.notice("the process that owns the mount has ended: unmounting")
            end(by: SIGTERM, because: "the end of its owner")
        }
    }

    /// Ends the mount. The service manager is told the reason, by default the name of the signal.
    private func end(by signal: CInt, because reason: String? = nil) {
        state.change { $0.isEnding = true }
        service.noteEnd("unmounted at \(reason ?? strsignal(signal).map { String(cString: $0) } ?? "a signal")")
        signalServer(signal)
    }
}
