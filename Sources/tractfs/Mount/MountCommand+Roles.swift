import FuseBridge
import Glibc
import Logging
import Mounting
import Settings
import StateLog
import Supervision
import SystemPackage
import SystemSupport

// The processes of `tractfs mount`: the supervisor, in the foreground or in the background, and the servers.

extension MountCommand {
    /// Supervises a new mount, or the mount of an older version. Ends the process with the mount.
    ///
    /// - Parameters:
    ///   - context: The context from the process that started this one; `nil` if the user did.
    ///   - arguments: The complete command line.
    ///   - handedDevice: The /dev/fuse that another program has mounted; `nil` if there is none.
    ///   - owner: The process with which the mount ends; `nil` if there is none.
    /// - Throws: The reason that there is no mount, unless a waiting command reports it.
    func supervise(
        _ context: ChildContext?, _ arguments: [String], _ handedDevice: FileDescriptor?, _ owner: MountOwner?
    ) throws {
        let destination = running.logDestination
        let report = context?.startReport.map { StartReport($0) }
        let environment = Environment.variables()
        let logger = destination.begin()
        var overlay: SupervisedOverlay?
        do {
            overlay = try appearance.overlay.map {
                try SupervisedOverlay(
                    $0, for: mountPoint, allowsOthers: appearance.allowOther, inheriting: context)
            }
            let supervisor = try Supervisor(
                arguments, environment: environment, workingDirectory: AbsolutePath.of("."), version: Tractfs.version,
                readTimeout: store.readTimeout.duration,
                service: ServiceState(uri: uri, isService: running.foreground, environment: environment),
                overlay: overlay, handedDevice: handedDevice, owner: owner, inheriting: context, logger: logger)
            supervisor.handleSignals(reopenLog: destination.reopening { logger.warning("\($0)") })
            supervisor.endWithOwner()
            if let context, let device = context.device, let mount = context.mount {
                supervisor.finishUpgrade(SupervisedMount(mount, device), server: context.server)
            } else {
                try supervisor.mount(reportingTo: report)
            }
            destination.redirectStandardError()
            if let report { supervisor.detachFromCommand(report) }
            if context != nil { chdir("/") }
            let status = supervisor.supervise()
            overlay?.close()
            exit(status)
        } catch {
            overlay?.close()
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

    /// Serves for a supervisor, or checks that this process could. Ends the process.
    func serve(_ context: ChildContext) -> Never {
        do {
            let settings = try MountSettings(self)
            let server = try MountServer(
                settings, running.logDestination, isInBackground: !running.foreground, context)
            switch context.role {
            case .trial: try reportTrial(context)
            case .successor: try server.takeOver()
            default: try server.mount()
            }
            exit(EXIT_SUCCESS)
        } catch {
            if let socket = context.supervisor { ServerReport.failed("\(error)").send(over: socket) }
            exit(EXIT_FAILURE)
        }
    }

    /// Reports that this process could take over, or throws the reason that it can't.
    private func reportTrial(_ context: ChildContext) throws {
        do {
            _ = try context.sharedState.map { try SupervisorSharedState(inheriting: $0) }
        } catch {
            throw Failure("it does not know the format of the shared state; unmount, and mount again")
        }
        _ = try SupervisedStateLog(inheriting: context.stateLog)
        if let socket = context.supervisor { ServerReport.answers.send(over: socket) }
    }
}
