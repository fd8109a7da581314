import FuseBridge
import Glibc
import StateLog
import SystemPackage
import SystemSupport

// What the processes of `tractfs mount` do that no person has started, and the one in the foreground.

extension MountCommand {
    /// Supervises a mount, from its beginning or from where an older version has left it. Ends the process with the mount.
    ///
    /// - Throws: Why there is no mount, where nobody waits to be told otherwise.
    func supervise(_ inheritance: Inheritance?, _ arguments: [String]) throws {
        let destination = running.logDestination
        let report = inheritance?.report.map { StartReport($0) }
        do {
            let supervisor = try Supervisor(
                arguments, destination, logger: destination.begin(), inheriting: inheritance)
            supervisor.takeSignals()
            if let inheritance, let device = inheritance.device, let place = inheritance.place {
                supervisor.finishUpgrade(SupervisedMount(place: place, device: device), server: inheritance.server)
            } else {
                try supervisor.mount()
            }
            destination.takeOverStandardError()
            if let report { supervisor.letGo(report) }
            if inheritance != nil { chdir("/") }
            exit(supervise(supervisor))
        } catch {
            guard let report else { throw error }
            report.fail("\(error)")
            exit(EXIT_FAILURE)
        }
    }

    private func supervise(_ supervisor: Supervisor) -> CInt {
        // It has a mount by now.
        guard let mount = supervisor.state.look({ $0.mount }) else { return EXIT_FAILURE }
        Watchdog(supervisor, mount, readTimeout: store.readTimeout.duration).start()
        return supervisor.supervise(mount)
    }

    /// Serves for a supervisor, or only tries whether this process could. Ends the process.
    func serve(_ inheritance: Inheritance) -> Never {
        do {
            let settings = try MountSettings(self)
            let server = try MountServer(
                settings, running.logDestination, isInBackground: !running.foreground, inheritance)
            switch inheritance.role {
            case .trial: try tryOut(inheritance)
            case .successor: try server.takeOver()
            default: try server.mount()
            }
            exit(EXIT_SUCCESS)
        } catch {
            if let socket = inheritance.supervisor { ServerReport.failed("\(error)").send(over: socket) }
            exit(EXIT_FAILURE)
        }
    }

    /// Says that this process could take over, or throws why not.
    private func tryOut(_ inheritance: Inheritance) throws {
        do {
            _ = try inheritance.page.map { try SupervisionPage(inheriting: $0) }
        } catch {
            throw Failure("it shares another page with its supervisor; unmount, and mount again")
        }
        _ = try KeptStateLog(inheriting: inheritance.stateLog)
        if let socket = inheritance.supervisor { ServerReport.answers.send(over: socket) }
    }
}
