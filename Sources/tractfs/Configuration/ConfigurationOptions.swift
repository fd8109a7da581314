import ArgumentParser

/// Which configuration file counts. What it sets is put into the command line before that is parsed (`CompletedArguments`).
struct ConfigurationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A file of settings to take instead of ~/.config/tractfs/config.toml and /etc/tractfs.toml; /dev/null for none.",
            valueName: "file"),
        completion: .file())
    var config: String?
}
