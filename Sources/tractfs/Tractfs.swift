import ArgumentParser
import Glibc

/// The command.
@main
struct Tractfs: ParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "tractfs",
        abstract: "Mounts S3 buckets as read-only file systems.",
        discussion: """
            For example, the Human Connectome Project with the keys that ConnectomeDB gave you:

              tractfs mount s3://hcp-openaccess/HCP_1200/ /mnt/hcp --profile hcp
              ls /mnt/hcp/100307
              tractfs unmount /mnt/hcp
            """,
        version: version,
        subcommands: [
            MountCommand.self, UnmountCommand.self, UpgradeCommand.self, StatusCommand.self, ReportCommand.self,
            RefreshCommand.self, WarmCommand.self, PresignCommand.self, CacheCommand.self, DoctorCommand.self,
            ConfigCommand.self,
        ])

    static func main() {
        openStandardStreams()
        var completed: CompletedArguments?
        do {
            let typed = Array(CommandLine.arguments.dropFirst())
            let helper = MountHelper.isCalled ? try MountHelper(typed) : nil
            let complete = try CompletedArguments(
                helper?.arguments() ?? typed, environment: Environment.variables())
            completed = complete
            if let helper, helper.isFake { return try helper.check(parseAsRoot(complete.arguments)) }
            try run(complete.arguments)
            helper?.tellMounted()
        } catch {
            fail(error, completed)
        }
    }

    private static func run(_ arguments: [String]) throws {
        var command = try parseAsRoot(arguments)
        // It hands them on to the processes that it starts.
        if let mount = command as? MountCommand { return try mount.run(as: arguments) }
        try command.run()
    }

    /// Standard streams that were closed are opened as /dev/null: otherwise the next files and sockets take their numbers,
    /// and what is meant for standard error goes into them.
    private static func openStandardStreams() {
        var descriptor: CInt
        repeat {
            descriptor = open("/dev/null", O_RDWR | O_CLOEXEC)
        } while (STDIN_FILENO...STDERR_FILENO).contains(descriptor)
        close(descriptor)
    }

    /// Ends with one line on standard error, unless it is no error but what was asked for (`--help`).
    private static func fail(_ error: any Error, _ completed: CompletedArguments?) -> Never {
        let code = exitCode(for: error)
        if code.isSuccess { exit(withError: error) }
        // What went wrong has been told.
        if error is ExitCode { Glibc.exit(code.rawValue) }
        var message = Failure(message(for: error)).description
        if let completed { message = completed.attributing(message) }
        let isUsageError = code == .validationFailure
        if isUsageError, !message.contains("--help") {
            if message.hasSuffix(".") { message.removeLast() }
            message += "; see tractfs \(subcommand)--help"
        }
        StandardError.tell(message)
        Glibc.exit(MountHelper.isCalled ? MountHelper.exitStatus(isUsageError: isUsageError) : code.rawValue)
    }

    /// The subcommand that was called and a space, where there is such a subcommand.
    private static var subcommand: String {
        if MountHelper.isCalled { return "mount " }
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let name = CommandLine.arguments.dropFirst().first, names.contains(name) else { return "" }
        return name + " "
    }
}

/// Why a command failed, in one line for a person.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
