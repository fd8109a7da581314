package import ArgumentParser
import SystemSupport

/// A command whose options can also be set by configuration files and the environment.
package protocol ConfigurableCommand: ParsableCommand {
    /// Returns `true` if they are used for a command line with these operands.
    static func isConfigurable(with operands: [String]) -> Bool
}

extension ConfigurableCommand {
    package static func isConfigurable(with operands: [String]) -> Bool { true }
}

/// A command line, with the settings of configuration files and of the environment in front of the typed options, so
/// that both are read alike.
package struct CompletedArguments {
    /// The arguments, without the program.
    package let arguments: [String]
    /// The settings that were added.
    private let added: [Setting]

    /// A command line that is complete as it was typed.
    package init(complete arguments: [String]) {
        (self.arguments, added) = (arguments, [])
    }

    /// Completes the typed arguments with the settings of files and variables.
    ///
    /// - Parameters:
    ///   - typed: The typed arguments, without the program.
    ///   - root: The command of the program.
    ///   - options: The options of `mount`.
    ///   - environment: The variables.
    ///   - systemFile: The path of the system's configuration file.
    /// - Throws: If an argument, a file or a variable is wrong.
    package init(
        _ typed: [String], of root: any ParsableCommand.Type, options: @autoclosure () -> DeclaredOptions,
        environment: [String: String], systemFile: String = ConfigurationSource.systemPath
    ) throws {
        let typed = try FstabOptions.expand(typed, options: options())
        guard !typed.contains(where: { ["-h", "--help", "--version"].contains($0) }),
            let (command, depth) = Self.command(in: typed, of: root)
        else {
            (arguments, added) = (typed, [])
            return
        }
        let given = Array(typed.dropFirst(depth))
        added = try Self.additions(to: given, of: command, options(), environment, systemFile)
        arguments = typed.prefix(depth) + added.map(\.argument) + given
    }

    /// Returns the settings to add to the arguments of `command`.
    private static func additions(
        to arguments: [String], of command: any ConfigurableCommand.Type, _ options: @autoclosure () -> DeclaredOptions,
        _ environment: [String: String], _ systemFile: String
    ) throws(Failure) -> [Setting] {
        let named = TypedArguments(arguments, options: DeclaredOptions(of: ConfigurationFileOptions.self))
            .value(of: "config")
        let sources = try ConfigurationSources(named: named, environment: environment, systemFile: systemFile)
        // Reading the declaration of a command takes much longer.
        if sources.areEmpty {
            sources.warn()
            return []
        }
        let declared = DeclaredOptions(of: command)
        let given = TypedArguments(arguments, options: declared)
        guard command.isConfigurable(with: given.operands) else { return [] }
        sources.warn()
        let target = SettingTarget(uri: given.operands.first, mountPoint: given.operands.dropFirst().first)
        let settings = try Configuration(sources, options: options())
            .settings(for: target, commandLine: given.settings)
        return settings.added.filter { declared[$0.option] != nil }
    }

    /// Returns the command that is called, and the number of arguments that name it; `nil` for one that isn't
    /// configurable.
    private static func command(
        in arguments: [String], of root: any ParsableCommand.Type
    ) -> (any ConfigurableCommand.Type, depth: Int)? {
        var command = root
        for (index, name) in arguments.enumerated() {
            guard let next = command.configuration.subcommands.first(where: { $0.configuration.commandName == name })
            else { return nil }
            if let next = next as? any ConfigurableCommand.Type { return (next, index + 1) }
            command = next
        }
        return nil
    }

    /// Returns the message of an error, with the origin of the options that it names, unless they were typed.
    package func attributing(_ message: String) -> String {
        added.attributing(message)
    }
}
