import ArgumentParser
import Supervision

/// A command whose options can be set by configuration files and the environment too.
protocol ConfigurableCommand: ParsableCommand {
    /// Whether they are, where these arguments are given beside options.
    static func isConfigurable(with positionals: [String]) -> Bool
}

extension ConfigurableCommand {
    static func isConfigurable(with positionals: [String]) -> Bool { true }
}

/// A command line, with what files and the environment say put in front of what was typed, so that both mean the same.
struct CompletedArguments {
    /// The arguments, without the program.
    let arguments: [String]
    /// What was put in.
    private let inserted: [Setting]

    /// - Parameters:
    ///   - typed: What was typed, without the program.
    ///   - environment: Its variables.
    ///   - systemFile: Where the system's configuration file is.
    /// - Throws: What is wrong with what was typed, or with a file or a variable.
    init(
        _ typed: [String], environment: [String: String], systemFile: String = ConfigurationPlaces.system
    ) throws {
        let typed = try MountOptions.expand(typed)
        // The arguments of a mount's own processes are complete; later changes of files have no effect on them.
        let isComplete =
            ChildContext.isPresent(in: environment)
            || typed.contains(where: { ["-h", "--help", "--version"].contains($0) })
        guard !isComplete, let (command, depth) = Self.command(in: typed) else {
            (arguments, inserted) = (typed, [])
            return
        }
        let given = Array(typed.dropFirst(depth))
        inserted = try Self.additions(to: given, of: command, environment, systemFile)
        arguments = typed.prefix(depth) + inserted.map(\.argument) + given
    }

    /// What is to be put in front of arguments of `command`.
    private static func additions(
        to arguments: [String], of command: any ConfigurableCommand.Type, _ environment: [String: String],
        _ systemFile: String
    ) throws(Failure) -> [Setting] {
        let named = TypedArguments(arguments, options: DeclaredOptions(of: ConfigurationOptions.self)).value(
            of: "config")
        let sources = try ConfigurationSources(
            ConfigurationPlaces(named: named, environment: environment, system: systemFile), environment: environment)
        // A command's declaration takes much longer to read.
        if sources.areEmpty {
            sources.warn()
            return []
        }
        let options = DeclaredOptions(of: command)
        let given = TypedArguments(arguments, options: options)
        guard command.isConfigurable(with: given.positionals) else { return [] }
        sources.warn()
        let target = SettingTarget(uri: given.positionals.first, mountPoint: given.positionals.dropFirst().first)
        let settings = try Configuration(sources).settings(for: target, commandLine: given.settings)
        return settings.added.filter { options[$0.option] != nil }
    }

    /// The command that is called, and how many arguments name it; `nil` for one that isn't configured.
    private static func command(in arguments: [String]) -> (any ConfigurableCommand.Type, depth: Int)? {
        var command: any ParsableCommand.Type = Tractfs.self
        for (index, name) in arguments.enumerated() {
            guard let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == name })
            else { return nil }
            if let next = next as? any ConfigurableCommand.Type { return (next, index + 1) }
            command = next
        }
        return nil
    }

    /// An error's message, with where the options are set that it names, if they were not typed.
    func attributing(_ message: String) -> String {
        inserted.attributing(message)
    }
}

extension [Setting] {
    /// An error's message, with where those of these options are set that it names.
    func attributing(_ message: String) -> String {
        let names = Set(message.split { !($0.isLetter || $0.isNumber || $0 == "-") })
        let named = filter { !names.isDisjoint(with: ["--\($0.option)", "--no-\($0.option)"]) }
        if named.isEmpty { return message }
        return named.map { "\($0.origin) (\($0.option))" }.joined(separator: ", ") + ": " + message
    }
}
