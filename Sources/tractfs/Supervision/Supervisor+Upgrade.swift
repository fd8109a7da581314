import FuseBridge
import Glibc
import Logging
import SystemPackage
import SystemSupport

// Another version of the program takes over: first a process of it looks whether it could serve, then the supervisor becomes
// that version itself (execve(2) leaves it its children and descriptors), and has the server of the old one make room.

extension Supervisor {
    /// How long a server has for making room.
    private static let handOverPatience: Duration = .seconds(10)

    /// Becomes the version that is installed now. Returns where that isn't possible, and then all is as it was.
    func upgrade() {
        guard let mount = state.look({ $0.servingSince == nil ? nil : $0.mount }) else { return }
        guard let program else { return noteFailedUpgrade("its program is nowhere") }
        if !page.canBeTakenOver { return noteFailedUpgrade("this kernel is older than Linux 6.9") }
        if let refusal = trial(of: program) { return noteFailedUpgrade(refusal) }
        logger.notice("the supervisor becomes what is installed now", metadata: ["program": "\(program)"])
        var inheritance = inheritance(of: .upgradedSupervisor)
        inheritance.server = state.look { $0.server?.id }
        inheritance.place = mount.place
        do throws(Errno) {
            try ChildProcess.replaceThisOne(
                by: program, named: CommandLine.arguments.first ?? "tractfs", arguments,
                environment: inheritance.environment, inheriting: inheritance.descriptors)
        } catch {
            noteFailedUpgrade("\(program) can't be started: \(error)")
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
            let report = ServerReport.receive(over: trial.reports)
            let end = trial.process.waitForEnd()
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
        state.change { state in
            state.mount = mount
            state.isUpgrading = true
        }
        guard let server else {
            state.change { $0.end = .exited(status: HandOver.exitStatus) }
            return
        }
        let process = ChildProcess(adopting: server)
        adopt(process)
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
