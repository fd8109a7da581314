import ArgumentParser
import CommandOutput
import Diagnostics
import Glibc
import Mounting
import Settings
import Supervision
import SystemSupport

/// `tractfs mount`: the arguments, and the start of the process with the given role.
struct MountCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Mount a bucket, or a prefix of one, read-only.",
        discussion: """
            Returns as soon as the mount is ready; if it fails, one line says why, and nothing is left mounted. Credentials are \
            found where the AWS CLI finds them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in ~/.aws (with keys, a \
            role, single sign-on or a program), a web identity, the container or the EC2 machine. They need only the \
            permissions to list the prefix and to get its objects.

            Configuration files and environment variables can set all options: see "tractfs help config".
            """)

    @Argument(help: ArgumentHelp("What to mount.", valueName: "s3://BUCKET[/PREFIX]"), completion: .bucket)
    var uri: String

    @Argument(
        help: "An empty folder to mount on, or /dev/fd/N for a /dev/fuse that another program has mounted.",
        completion: .directory)
    var mountPoint: String

    @OptionGroup(title: "Bucket")
    var store: StoreOptions

    @OptionGroup(title: "Files and permissions")
    var appearance: AppearanceOptions

    @OptionGroup(title: "Cache on the local disk")
    var cache: CacheOptions

    @OptionGroup(title: "Process")
    var running: RunningOptions

    @OptionGroup(title: "Configuration")
    var files: ConfigurationFileOptions

    func validate() throws {
        if mountPoint.hasPrefix("s3:"), !uri.hasPrefix("s3:") {
            throw ValidationError("the bucket comes first: tractfs mount \(mountPoint) \(uri)")
        }
    }

    /// Runs the command: as the program that the user has started, or as a process of a mount.
    ///
    /// - Parameter arguments: The complete command line, with which all processes of the mount are started.
    func run(as arguments: [String]) throws {
        let environment = Environment.variables()
        guard let context = try ChildContext.take(from: environment) else {
            // Reports wrong settings before any process is started.
            let device = try MountSettings(self).handedDevice?.take()
            let owner = try running.ownerPid.map { try MountOwner(process: $0.rawValue) }
            if running.foreground { return try supervise(nil, arguments, device, owner) }
            try BackgroundStart.run(
                arguments, environment: environment, workingDirectory: AbsolutePath.of("."), device: device,
                owner: owner, notice: StandardError.tell)
            // For a person, but not for mount(8), which says nothing, nor for the program that has mounted the device.
            if isatty(STDOUT_FILENO) == 1, !MountHelper.isCalled, device == nil {
                try? StandardOutput.write(summary(environment))
            }
            return
        }
        let owner = context.owner.map(MountOwner.init(inheriting:))
        switch context.role {
        case .supervisor: try supervise(context, arguments, context.device, owner)
        case .upgradedSupervisor: try supervise(context, arguments, nil, owner)
        case .server, .successor, .trial: serve(context)
        }
    }

    /// Returns at most three lines on a new mount: how to unmount it, and what would make it faster here.
    private func summary(_ environment: [String: String]) -> String {
        let command = "tractfs unmount \(mountPoint.shellWord)"
        let mounted = "\(uri) is mounted on \(mountPoint); unmount it with: \(command)"
        let lines = [mounted] + MountAdvice.lines(cache: cache, environment: environment)
        return lines.map { $0 + "\n" }.joined()
    }
}
