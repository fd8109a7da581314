package import ArgumentParser

/// The option that names a configuration file. The settings in the file are added to the command line before it is
/// parsed (`CompletedArguments`).
package struct ConfigurationFileOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A configuration file to use instead of ~/.config/tractfs/config.toml and /etc/tractfs.toml; /dev/null for none.",
            valueName: "file"),
        completion: .file())
    package var config: String?

    package init() {}
}
