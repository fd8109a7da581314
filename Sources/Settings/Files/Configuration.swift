import CommandOutput
import Glibc
package import SystemSupport

/// The settings of configuration files and of the environment.
package struct Configuration {
    /// The options that may be set: those of `mount`.
    package let options: DeclaredOptions
    private let variables: SettingLayer
    private let files: [ConfigurationFile]

    /// Parses the sources.
    ///
    /// - Parameter options: The options of `mount`.
    /// - Throws: If a file or a variable is wrong.
    package init(_ sources: ConfigurationSources, options: DeclaredOptions) throws(Failure) {
        let options = options.without("config")
        self.options = options
        variables = try SettingsEnvironment.settings(sources.environment, options: options)
        var files: [ConfigurationFile] = []
        for case (let path, .text(let text)) in sources.findings {
            files.append(try ConfigurationFile(text, path: path, options: options))
        }
        self.files = files
    }

    /// Returns the effective settings of `target` with a command line.
    package func settings(for target: SettingTarget, commandLine: SettingLayer = []) -> EffectiveSettings {
        EffectiveSettings([commandLine, variables] + files.flatMap { $0.layers(for: target) })
    }

    /// The scopes of all tables of all files.
    package var scopes: [SettingScope] { files.flatMap { $0.tables.map(\.scope) } }
}

/// The text of the configuration files, and the environment.
package struct ConfigurationSources {
    /// The content of a source.
    package typealias Finding = (path: String, content: ConfigurationSource.Content)

    let environment: [String: String]
    /// The contents of all sources, the nearest first.
    package private(set) var findings: [Finding] = []

    /// Reads the configuration files.
    ///
    /// - Parameters:
    ///   - named: The value of `--config`: the file to use instead of all others.
    ///   - environment: The variables. They may name a file as well (`TRACTFS_CONFIG`).
    ///   - systemFile: The path of the system's file.
    package init(
        named: String?, environment: [String: String], systemFile: String = ConfigurationSource.systemPath
    ) throws(Failure) {
        self.environment = environment
        let isRoot = geteuid() == 0
        for source in ConfigurationSource.all(named: named, environment: environment, systemFile: systemFile) {
            findings.append((source.path, try source.content(isRoot: isRoot)))
        }
    }

    /// `true` if there is no file, and no variable that may be a setting.
    var areEmpty: Bool {
        let hasText = findings.contains { if case .text = $0.content { true } else { false } }
        return !hasText && !SettingsEnvironment.mayHoldSettings(environment)
    }

    /// Reports the files that are ignored, and the reason, to standard error.
    func warn() {
        for case (_, .ignored(let reason)) in findings { StandardError.tell("warning: \(reason)") }
    }
}
