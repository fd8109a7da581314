import FuseBridge
import Glibc
import Logging
import StateLog
import SystemPackage
import SystemSupport

// What the processes of `tractfs mount` do that no person has started, and the one in the foreground.

extension MountCommand {
    /// Supervises a mount, from its beginning or from where an older version has left it. Ends the process with the mount.
    ///
    /// - Parameter handedDevice: The /dev/fuse that another program has mounted, if there is one to serve.
    /// - Throws: Why there is no mount, where nobody waits to be told otherwise.
    func supervise(_ inheritance: Inheritance?, _ arguments: [String], _ handedDevice: FileDescriptor?) throws {
        let destination = running.logDestination
        let report = inheritance?.report.map { StartReport($0) }
        let logger = destination.begin()
        var overlay: SupervisedOverlay?
        do {
            overlay = try SupervisedOverlay(self, inheriting: inheritance)
            let supervisor = try Supervisor(
                arguments, destination, ServiceState(uri: uri, isService: running.foreground), logger: logger,
                readTimeout: store.readTimeout.duration, overlay: overlay, handedDevice: handedDevice,
                inheriting: inheritance)
            supervisor.takeSignals()
            if let inheritance, let device = inheritance.device, let place = inheritance.place {
                supervisor.finishUpgrade(SupervisedMount(place: place, device: device), server: inheritance.server)
            } else {
                try supervisor.mount(for: report)
            }
            destination.takeOverStandardError()
            if let report { supervisor.letGo(report) }
            if inheritance != nil { chdir("/") }
            let status = supervisor.supervise()
            overlay?.leave()
            exit(status)
        } catch {
            overlay?.leave()
            if let report {
                report.fail("\(error)")
            } else if destination.hasFailures {
                logger.error("\(error)")
            } else {
                throw error
            }
            exit(EXIT_FAILURE)
        }
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
        _ = try SupervisedStateLog(inheriting: inheritance.stateLog)
        if let socket = inheritance.supervisor { ServerReport.answers.send(over: socket) }
    }
}
