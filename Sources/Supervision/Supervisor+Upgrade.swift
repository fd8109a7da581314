import Glibc
import Logging
import Mounting
import StateLog
import Synchronization
import SystemPackage
import SystemSupport

// An upgrade: first a trial process of the other version checks that it could serve. Then the supervisor executes that
// version (execve(2) preserves children and descriptors), and asks the server of the old version for a handover.

extension Supervisor {
    /// The timeout for a server to hand over.
    private static let handoverTimeout: Duration = .seconds(10)

    /// The timeout for the trial of another version.
    private static let trialTimeout: Duration = .seconds(10)

    /// Replaces this process by the installed version. Returns only if that fails, with everything unchanged.
    func upgrade() {
        guard let server = servingServer else { return noteFailedUpgrade("no process serves it just now; try again") }
        guard let program else { return noteFailedUpgrade("its program is nowhere") }
        if !sharedState.canBeTakenOver { return noteFailedUpgrade("this kernel is older than Linux 6.9") }
        if let refusal = trial(of: program) { return noteFailedUpgrade(refusal) }
        let failure = startLock.withLock { _ in execute(program, with: server) }
        noteFailedUpgrade(failure)
    }

    /// The current server, if it serves and the mount isn't ending.
    private var servingServer: Int32? {
        state.look { $0.servingSince == nil || $0.isEnding ? nil : $0.server?.id }
    }

    /// Executes `program` in this process, as the supervisor of `server`. Returns the reason if that fails.
    private func execute(_ program: String, with server: Int32) -> String {
        // A server that has died since needs a successor first, which the new supervisor then knows.
        if servingServer != server { return "its process died meanwhile; try again" }
        logger.notice("upgrading: executing the installed program", metadata: ["program": "\(program)"])
        var context = context(for: .upgradedSupervisor)
        context.server = server
        do throws(Errno) {
            try ChildProcess.replaceThisOne(
                by: program, named: CommandLine.arguments.first ?? "tractfs", arguments,
                environment: context.environment(addedTo: environment), inheriting: context.descriptors)
        } catch {
            return "\(program) can't be started: \(error)"
        }
    }

    private func noteFailedUpgrade(_ reason: String) {
        logger.error("upgrade failed; the mount goes on with the old version: \(reason)")
        sharedState.noteUpgrade(failure: reason)
    }

    /// Returns the reason that the program can't serve this mount; `nil` if it can.
    private func trial(of program: String) -> String? {
        do {
            let trial = try ServerProcess(program, arguments, environment: environment, context(for: .trial))
            defer { try? trial.reports.close() }
            guard let end = trial.process.waitForEnd(within: Self.trialTimeout) else {
                kill(trial.process.id, SIGKILL)
                _ = trial.process.waitForEnd(within: Self.trialTimeout)
                return "\(program) can't serve it: it does not end when it has only to try"
            }
            // Keeps a report that was sent, but doesn't wait for processes that the trial may have left running.
            shutdown(trial.reports.rawValue, CInt(SHUT_RDWR))
            let report = ServerReport.receive(over: trial.reports)
            switch report?.0 {
            case .answers where end == .exited(status: 0): return nil
            case .failed(let reason): return "\(program) can't serve it: \(reason)"
            default: return "\(program) can't serve it: \(end)"
            }
        } catch {
            return "\(program) can't be started: \(error)"
        }
    }

    /// Continues as the supervisor of `mount` after an upgrade of this process.
    package func finishUpgrade(_ mount: SupervisedMount, server: Int32?) {
        noteMounted(mount)
        state.change { $0.isUpgrading = true }
        guard let server else {
            state.change { $0.end = .exited(status: ServerProcess.handoverExitStatus) }
            return
        }
        adopt(ChildProcess(adopting: server))
        // The old version has checked that the server serves.
        state.change { $0.servingSince = .now }
        kill(server, Self.upgradeSignal)
        DetachedThread.start { [self] in
            if !waitForEnd(of: server, within: Self.handoverTimeout) { kill(server, SIGKILL) }
        }
    }
}
