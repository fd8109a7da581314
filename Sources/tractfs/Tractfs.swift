import ArgumentParser
import CommandOutput
import Glibc
import Settings
import Supervision
import SystemSupport

/// The command `tractfs`.
@main
struct Tractfs: ParsableCommand {
    static let version = ProgramVersion.current

    static let configuration = CommandConfiguration(
        commandName: "tractfs",
        abstract: "Mounts S3 buckets as read-only file systems.",
        discussion: """
            For example, the Human Connectome Project with the keys that ConnectomeDB gave you:

              tractfs mount s3://hcp-openaccess/HCP_1200/ /mnt/hcp --profile hcp
              ls /mnt/hcp/100307
              tractfs unmount /mnt/hcp

            "tractfs s3://BUCKET FOLDER" is short for "tractfs mount s3://BUCKET FOLDER".
            """,
        version: version,
        subcommands: [
            MountCommand.self, UnmountCommand.self, UpgradeCommand.self, StatusCommand.self, ReportCommand.self,
            RefreshCommand.self, WarmCommand.self, PresignCommand.self, CacheCommand.self, DoctorCommand.self,
            ConfigCommand.self,
        ])

    static func main() {
        StandardStreams.openMissing()
        var completed: CompletedArguments?
        do {
            let typed = Array(CommandLine.arguments.dropFirst())
            let helper = MountHelper.isCalled ? try MountHelper(typed) : nil
            if helper == nil { try UnknownCommand.check(typed, of: Self.self) }
            let complete = try CompletedArguments(
                helper?.arguments() ?? typed, environment: Environment.variables())
            completed = complete
            if let helper, helper.isFake { return try helper.check(parseAsRoot(complete.arguments)) }
            try run(complete.arguments)
            helper?.printMounted()
        } catch {
            fail(error, completed)
        }
    }

    private static func run(_ arguments: [String]) throws {
        var command = try parseAsRoot(arguments)
        // It passes them to the processes that it starts.
        if let mount = command as? MountCommand { return try mount.run(as: arguments) }
        try command.run()
    }

    /// Exits with one line on standard error, unless the error is requested output (`--help`).
    private static func fail(_ error: any Error, _ completed: CompletedArguments?) -> Never {
        let code = exitCode(for: error)
        if code.isSuccess { exit(withError: error) }
        // The command has reported the failure.
        if error is ExitCode { Glibc.exit(code.rawValue) }
        let arguments = MountHelper.isCalled ? ["mount"] : Array(CommandLine.arguments.dropFirst())
        StandardError.tell(complaint(about: error, completed, arguments))
        let isUsageError = code == .validationFailure
        Glibc.exit(MountHelper.isCalled ? MountHelper.exitStatus(isUsageError: isUsageError) : code.rawValue)
    }

    /// Returns the message for an error, in one line.
    ///
    /// - Parameters:
    ///   - completed: The completed command line; `nil` if completing it failed.
    ///   - arguments: The typed arguments, without the program.
    static func complaint(about error: any Error, _ completed: CompletedArguments?, _ arguments: [String]) -> String {
        var message = Failure(message(for: error)).description
        if message.hasPrefix("Unknown option '-"), let meant = longOption(in: arguments) {
            message = "\(message.split(separator: ".")[0]). Did you mean '\(meant)'?"
        }
        if let completed { message = completed.attributing(message) }
        if exitCode(for: error) == .validationFailure, !message.contains("--help") {
            if message.hasSuffix(".") { message.removeLast() }
            message += "; see tractfs \(subcommand(of: arguments))--help"
        }
        return message
    }

    /// Returns the option that was probably meant: "--profile" for "-profile".
    private static func longOption(in arguments: [String]) -> String? {
        arguments.first { argument in
            !argument.hasPrefix("--") && argument.hasPrefix("-") && argument.count > 2
                && DeclaredOptions.ofMount.meaning(of: String(argument.dropFirst())) != nil
        }.map { "-" + $0 }
    }

    /// Returns the names of the subcommands that are called, with a space behind each; empty if there are none.
    private static func subcommand(of arguments: [String]) -> String {
        let arguments = FstabOptions.isShort(arguments) ? ["mount"] : arguments
        var command: any ParsableCommand.Type = Tractfs.self
        var names = ""
        for name in arguments {
            let next = command.configuration.subcommands.first { $0.configuration.commandName == name }
            guard let next else { break }
            names += name + " "
            command = next
        }
        return names
    }
}

extension CompletedArguments {
    /// The command line `typed`. One that a process of a mount has passed on is complete already: changes of the files
    /// since then must have no effect.
    init(
        _ typed: [String], environment: [String: String], systemFile: String = ConfigurationSource.systemPath
    ) throws {
        if ChildContext.isPresent(in: environment) {
            self.init(complete: typed)
        } else {
            try self.init(
                typed, of: Tractfs.self, options: .ofMount, environment: environment, systemFile: systemFile)
        }
    }
}
