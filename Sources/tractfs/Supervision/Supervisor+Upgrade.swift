import FuseBridge
import Glibc
import Logging
import Synchronization
import SystemPackage
import SystemSupport

// Another version of the program takes over: first a process of it looks whether it could serve, then the supervisor becomes
// that version itself (execve(2) leaves it its children and descriptors), and has the server of the old one make room.

extension Supervisor {
    /// How long a server has for making room.
    private static let handOverPatience: Duration = .seconds(10)

    /// How long another version has for saying that it could serve.
    private static let trialPatience: Duration = .seconds(10)

    /// Becomes the version that is installed now. Returns where that isn't possible, and then all is as it was.
    func upgrade() {
        guard let server = servingServer else { return noteFailedUpgrade("nobody serves it just now; try again") }
        guard let program else { return noteFailedUpgrade("its program is nowhere") }
        if !page.canBeTakenOver { return noteFailedUpgrade("this kernel is older than Linux 6.9") }
        if let refusal = trial(of: program) { return noteFailedUpgrade(refusal) }
        let failure = startLock.withLock { _ in become(program, with: server) }
        noteFailedUpgrade(failure)
    }

    /// The server that there is, if it serves, and nobody wants the mount to end.
    private var servingServer: Int32? {
        state.look { $0.servingSince == nil || $0.isEnding ? nil : $0.server?.id }
    }

    /// Makes this process another program, whose server is `server`. Returns why it can't.
    private func become(_ program: String, with server: Int32) -> String {
        // It may have died since: the next one must be known to whoever supervises it, and must have taken over.
        if servingServer != server { return "its process died meanwhile; try again" }
        logger.notice("the supervisor becomes what is installed now", metadata: ["program": "\(program)"])
        var inheritance = inheritance(of: .upgradedSupervisor)
        inheritance.server = server
        do throws(Errno) {
            try ChildProcess.replaceThisOne(
                by: program, named: CommandLine.arguments.first ?? "tractfs", arguments,
                environment: inheritance.environment, inheriting: inheritance.descriptors)
        } catch {
            return "\(program) can't be started: \(error)"
        }
    }

    private func noteFailedUpgrade(_ reason: String) {
        logger.error("the mount goes on as it is, for it can't be upgraded: \(reason)")
        page.noteUpgrade(failure: reason)
    }

    /// Why the program can't serve this mount; `nil` where it can.
    private func trial(of program: String) -> String? {
        do {
            let trial = try ServerProcess(program, arguments, inheriting: inheritance(of: .trial))
            defer { try? trial.reports.close() }
            guard let end = trial.process.waitForEnd(within: Self.trialPatience) else {
                kill(trial.process.id, SIGKILL)
                _ = trial.process.waitForEnd(within: Self.trialPatience)
                return "\(program) can't serve it: it does not end when it has only to try"
            }
            // What it has sent can be read nevertheless; and what it has left running has nothing to say.
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

    /// Goes on where the supervisor of the old version has ended, which this process was.
    func finishUpgrade(_ mount: SupervisedMount, server: Int32?) {
        noteMounted(mount)
        state.change { $0.isUpgrading = true }
        guard let server else {
            state.change { $0.end = .exited(status: HandOver.exitStatus) }
            return
        }
        let process = ChildProcess(adopting: server)
        adopt(process)
        // The supervisor that this process was has looked.
        state.change { $0.servingSince = .now }
        kill(server, Self.upgradeSignal)
        DetachedThread.start { [self] in
            let deadline = ContinuousClock.now + Self.handOverPatience
            while state.look({ $0.server?.id }) == server {
                if ContinuousClock.now > deadline { kill(server, SIGKILL) }
                usleep(20_000)
            }
        }
    }
}
