import ArgumentParser
import CommandOutput
import S3Client
import Settings
import SystemSupport

/// `tractfs config show`.
struct ConfigShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the effective settings and their origin.",
        discussion: """
            Shows the settings for a bucket or a prefix, and for a mount point; without either, the settings for all mounts, \
            and all tables of the files are checked. A mount keeps the settings with which it was made, even if the files \
            change.

            With --json it is one array of objects: "option", "value" (true or false for an option without a value, else a \
            string or null), "source" ("default", "environment" or "file"), "variable", "file", "line" and "table" (null \
            where there is none). The value of a default is text for users.
            """)

    @Argument(help: ArgumentHelp("The bucket or prefix.", valueName: "s3://BUCKET[/PREFIX]"), completion: .bucket)
    var uri: String?

    @Argument(help: "The mount point.", completion: .directory)
    var mountPoint: String?

    @OptionGroup
    var files: ConfigurationFileOptions

    @Flag(help: "Print a JSON array, for programs.")
    var json = false

    func run() throws {
        // Other commands ignore a wrong URI when they look for settings; here it is an error.
        if let uri { _ = try S3URI(parsing: uri) }
        let sources = try ConfigurationSources(named: files.config, environment: Environment.variables())
        let configuration = try Configuration(sources, options: .ofMount)
        let settings = configuration.settings(for: SettingTarget(uri: uri, mountPoint: mountPoint))
        try check(settings)
        if uri == nil {
            for scope in configuration.scopes { try check(configuration.settings(for: SettingTarget(scope))) }
        }
        let listing = SettingsListing(settings, options: configuration.options, findings: sources.findings)
        try StandardOutput.write(json ? listing.json : listing.table)
    }

    /// Checks the values with the parser of `mount`.
    private func check(_ settings: EffectiveSettings) throws(Failure) {
        do {
            let operands = [uri ?? "s3://bucket", mountPoint ?? "mount-point"]
            _ = try MountCommand.parse(settings.added.map(\.argument) + operands)
        } catch {
            throw Failure(settings.added.attributing(MountCommand.message(for: error)))
        }
    }
}
