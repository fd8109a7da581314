import ArgumentParser
import Logging
import Settings
import SystemSupport

/// The options of the serving process.
struct RunningOptions: ParsableArguments {
    @Option(
        "The time for which listings are valid, or \"forever\" for a bucket that never changes.",
        valueName: "duration")
    var metadataTtl = MetadataLifetime(seconds: 60)

    @OptionGroup
    var memory: MemoryOptions

    @Option(
        "The time to retry while names can't be resolved, the network is down or the machine's role is not available yet.",
        valueName: "duration")
    var retry = Time(seconds: 0)

    @Flag(inversion: .prefixedNo, help: "Stay in the foreground, and log to standard error.")
    var foreground = false

    @Option(
        help: ArgumentHelp("End the mount when this process ends, however it ends.", valueName: "pid"),
        transform: ProcessNumber.read)
    var ownerPid: ProcessNumber?

    @Option(
        "The lowest level to log: trace, debug, info, notice, warning, error or critical.", valueName: "level",
        completion: .cases(of: Logger.Level.self))
    var logLevel = Logger.Level.info

    @Option(
        help: ArgumentHelp("Log to this file (default: syslog). SIGHUP reopens it.", valueName: "file"),
        completion: .file())
    var logFile: String?

    @Option(
        help: ArgumentHelp("The format of the log: text, or json for one JSON object per line.", valueName: "format"),
        completion: .cases(of: LogFormat.self), transform: LogFormat.read)
    var logFormat = LogFormat.text

    @Option(
        name: .customShort("o"),
        help: ArgumentHelp(
            "Options in the form of /etc/fstab: any of these, without the dashes.", valueName: "option[=value],…")
    )
    var mountOptions: [String] = []

    /// The destination of the log. The name of a file is relative to the working directory.
    var logDestination: LogDestination {
        let file = logFile.map { LogDestination.Output.file(AbsolutePath.of($0)) }
        return LogDestination(
            output: file ?? (foreground ? .standardError : .syslog), level: logLevel, format: logFormat)
    }
}
