import ArgumentParser
import Glibc

/// What configuration files and the environment say.
struct Configuration {
    /// The options that may be set: those of `mount`.
    let options: DeclaredOptions
    private let variables: SettingLayer
    private let files: [ConfigurationFile]

    /// - Throws: What is wrong with one of them.
    init(_ sources: ConfigurationSources) throws(Failure) {
        let options = DeclaredOptions.ofMount.without("config")
        self.options = options
        variables = try SettingsEnvironment.settings(sources.environment, options: options)
        var files: [ConfigurationFile] = []
        for (path, text) in sources.texts {
            files.append(try ConfigurationFile(text, path: path, options: options))
        }
        self.files = files
    }

    /// What holds for `target`, where so much is said on the command line.
    func settings(for target: SettingTarget, commandLine: SettingLayer = []) -> EffectiveSettings {
        EffectiveSettings([commandLine, variables] + files.flatMap { $0.layers(for: target) })
    }

    /// What all tables of all files are about.
    var scopes: [SettingScope] { files.flatMap { $0.tables.map(\.scope) } }
}

/// Configuration files as they are, and the environment.
struct ConfigurationSources {
    let environment: [String: String]
    /// Files that are to be obeyed, the nearest first.
    private(set) var texts: [(path: String, text: String)] = []
    /// Every place that was looked at, the nearest first, and what is to be said of it.
    private(set) var findings: [(path: String, finding: Finding)] = []

    enum Finding {
        case used
        case missing
        case closed
        case ignored(String)
    }

    init(_ places: ConfigurationPlaces, environment: [String: String], isRoot: Bool = geteuid() == 0) throws(Failure) {
        self.environment = environment
        for place in places.places {
            switch try place.content(isRoot: isRoot) {
            case .text(let text):
                texts.append((place.path, text))
                findings.append((place.path, .used))
            case .nothing: findings.append((place.path, .missing))
            case .closed: findings.append((place.path, .closed))
            case .ignored(let reason): findings.append((place.path, .ignored(reason)))
            }
        }
    }

    /// Whether nothing can be set by them.
    var areEmpty: Bool { texts.isEmpty && !SettingsEnvironment.mayHoldSettings(environment) }

    /// Says on standard error which files are not obeyed, and why.
    func warn() {
        for case (_, .ignored(let reason)) in findings { StandardError.tell("warning: \(reason)") }
    }
}
