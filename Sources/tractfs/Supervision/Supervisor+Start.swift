import CommandOutput
import Glibc
import Logging
import SystemPackage
import SystemSupport

extension Supervisor {
    /// Has a server mount, and waits until the mount answers.
    ///
    /// - Parameter command: Leads to the command that waits; `nil` in the foreground, where the log is before the user's eyes.
    /// - Throws: Why there is none.
    func mount(for command: StartReport?) throws {
        let server = try start(.server)
        defer { closeReports(of: server) }
        while let (report, device) = ServerReport.receive(over: server.reports) {
            switch report {
            case .mounted(let place):
                if let device { noteMounted(SupervisedMount(place: place, device: device)) }
            case .answers:
                state.change { $0.servingSince = .now }
                return
            case .failed(let reason):
                _ = waitForEnd()
                throw Failure(reason)
            case .waiting(let reason):
                service.noteWaiting()
                let isWanted = reason.isEmpty ? command?.isHeard : command?.tell("waiting for the network: \(reason)")
                if isWanted == false { end(by: SIGTERM) }
            case .tookOver:
                break
            }
        }
        let end = waitForEnd()
        if let mount = state.look({ $0.mount }) { leave(mount, end) }
        if state.look({ $0.isEnding }) {
            overlay?.leave()
            exit(end == .exited(status: 0) ? EXIT_SUCCESS : EXIT_FAILURE)
        }
        throw Failure("the serving process ended before the mount answered (\(end)); tell us, with what it logged")
    }

    /// Tells the command that waits for it, and lets go of the place where it was typed.
    func letGo(_ report: StartReport) {
        chdir("/")
        StandardStreams.close()
        // Nobody is there to hear it: somebody ended the command, and wants no mount.
        if !report.succeed() { end(by: SIGTERM) }
    }

    // MARK: Signals

    /// Hands signals on from now on. To be called before any thread is started.
    func takeSignals() {
        // Inherited from who ignores it, it would have the system keep no child's end for us (wait(2)).
        signal(SIGCHLD, SIG_DFL)
        let reopen = destination.reopening { [logger] in logger.warning("\($0)") }
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

    /// What `tractfs upgrade` sends the supervisor, and the supervisor the server that is to make room.
    static let upgradeSignal = SIGUSR2

    private func end(by signal: CInt) {
        state.change { $0.isEnding = true }
        service.noteEnd("unmounted at \(strsignal(signal).map { String(cString: $0) } ?? "a signal")")
        signalServer(signal)
    }
}
