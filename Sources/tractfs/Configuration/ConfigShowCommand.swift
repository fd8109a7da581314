import ArgumentParser
import S3Client

/// `tractfs config show`.
struct ConfigShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what holds, and where it is set.",
        discussion: """
            For a bucket or a prefix, and for a mount point of it; without either, what holds everywhere, and all tables of \
            the files are checked. A mount keeps what held when it was made, whatever becomes of the files.

            With --json it is one array of objects: "option", "value" (true or false for an option without a value, else a \
            string or null), "source" ("default", "environment" or "file"), "variable", "file", "line" and "table" (null \
            where there is none). What a default's value says is meant for people.
            """)

    @Argument(help: ArgumentHelp("What is to be mounted.", valueName: "s3://BUCKET[/PREFIX]"), completion: .bucket)
    var uri: String?

    @Argument(help: "Where it is to be mounted.", completion: .directory)
    var mountPoint: String?

    @OptionGroup
    var files: ConfigurationOptions

    @Flag(help: "Print a JSON array, for programs.")
    var json = false

    func run() throws {
        // One that can't be read has no tables; here it is the subject.
        if let uri { _ = try S3URI(parsing: uri) }
        let environment = Environment.variables()
        let sources = try ConfigurationSources(
            ConfigurationPlaces(named: files.config, environment: environment), environment: environment)
        let configuration = try Configuration(sources)
        let settings = configuration.settings(for: SettingTarget(uri: uri, mountPoint: mountPoint))
        try check(settings)
        if uri == nil {
            for scope in configuration.scopes { try check(configuration.settings(for: SettingTarget(scope))) }
        }
        let listing = SettingsListing(settings, options: configuration.options, findings: sources.findings)
        try StandardOutput.write(json ? listing.json : listing.table)
    }

    /// Has the parser of `mount` look at the values.
    private func check(_ settings: EffectiveSettings) throws(Failure) {
        do {
            let place = [uri ?? "s3://bucket", mountPoint ?? "mount-point"]
            _ = try MountCommand.parse(settings.added.map(\.argument) + place)
        } catch {
            throw Failure(settings.added.attributing(MountCommand.message(for: error)))
        }
    }
}
