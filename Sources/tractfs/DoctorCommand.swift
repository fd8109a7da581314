import ArgumentParser
import CommandOutput
import Diagnostics
import Glibc
import Settings
import SystemSupport

/// `tractfs doctor`.
struct DoctorCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Find problems that prevent a mount, or make it slow.",
        discussion: """
            Takes the arguments of "tractfs mount" but the mount point; options for the look of files, or for the serving \
            process, have no effect. The checks are, in this order: FUSE and the \
            kernel, the settings, the credentials, the clock, the way to the store (address, connection, TLS, answer), the \
            bucket's region, the permissions to list and to read, the round-trip time, the bandwidth, the cache and the memory. \
            Nothing is mounted and nothing is changed; at most 64MiB are read.

            Each line says "ok", "warning" (a mount works, but could be better), "failure" (a mount can't work) or "skipped", \
            and what to do. The exit status is 1 if there was a failure, and 0 otherwise.

            With --json the findings are one array of objects: "check", "status" (one of these four words), "message", \
            "advice" (null if there is none) and "values", whose names end in their units ("milliseconds", \
            "bytes_per_second").
            """)

    @Argument(
        help: ArgumentHelp("The bucket or prefix to check.", valueName: "s3://BUCKET[/PREFIX]"), completion: .bucket)
    var uri: String

    @Flag(help: "Print a JSON array, for programs.")
    var json = false

    @OptionGroup(title: "Bucket")
    var store: StoreOptions

    @OptionGroup(title: "Cache on the local disk")
    var cache: CacheOptions

    @OptionGroup(title: "Files and permissions")
    var appearance: AppearanceOptions

    @OptionGroup(title: "Process")
    var running: RunningOptions

    @OptionGroup(title: "Configuration")
    var files: ConfigurationFileOptions

    func run() throws {
        // Writing reports a server or a reader that has closed the connection.
        signal(SIGPIPE, SIG_IGN)
        var findings: [Finding] = []
        let lines = FindingLines(isColored: isColored)
        let examination = Examination(
            uri: uri, store: store, cache: cache, memory: running.memory, allowsOthers: appearance.allowOther,
            environment: Environment.variables()
        ) { finding in
            findings.append(finding)
            if !json { try StandardOutput.write(lines.line(finding) + "\n") }
        }
        try examination.run()
        try StandardOutput.write(json ? JSONObject.lines(findings.map(\.object)) : lines.summary(findings) + "\n")
        if findings.contains(where: { $0.status == .failure }) { throw ExitCode.failure }
    }

    /// `true` for a terminal, unless the user wants no colors (no-color.org).
    private var isColored: Bool {
        let variables = Environment.variables()
        return isatty(STDOUT_FILENO) == 1 && variables["NO_COLOR"]?.isEmpty != false && variables["TERM"] != "dumb"
    }
}
