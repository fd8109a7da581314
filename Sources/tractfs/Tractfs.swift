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

            "tractfs s3://BUCKET FOLDER" is short for "tractfs mount s3://BUCKET FOLDER".
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
            if helper == nil { try UnknownCommand.check(typed) }
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
        let arguments = MountHelper.isCalled ? ["mount"] : Array(CommandLine.arguments.dropFirst())
        StandardError.tell(complaint(about: error, completed, arguments))
        let isUsageError = code == .validationFailure
        Glibc.exit(MountHelper.isCalled ? MountHelper.exitStatus(isUsageError: isUsageError) : code.rawValue)
    }

    /// What a person is told of an error, in one line.
    ///
    /// - Parameters:
    ///   - completed: The complete command line, where it came so far.
    ///   - arguments: What was typed, without the program.
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

    /// The option that was meant by "-profile".
    private static func longOption(in arguments: [String]) -> String? {
        arguments.first { argument in
            !argument.hasPrefix("--") && argument.hasPrefix("-") && argument.count > 2
                && DeclaredOptions.ofMount.meaning(of: String(argument.dropFirst())) != nil
        }.map { "-" + $0 }
    }

    /// The subcommand that is called, and that one's, with a space behind each; empty where there is no such subcommand.
    private static func subcommand(of arguments: [String]) -> String {
        let arguments = MountOptions.isShort(arguments) ? ["mount"] : arguments
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

/// Why a command failed, in one line for a person.
struct Failure: Error, CustomStringConvertible {
    let description: String
    /// `true` if it is the network's, which may still be coming up.
    let mayPass: Bool

    init(_ description: String, mayPass: Bool = false) {
        self.description = description.split(whereSeparator: \.isNewline).joined(separator: " ")
        self.mayPass = mayPass
    }
}
