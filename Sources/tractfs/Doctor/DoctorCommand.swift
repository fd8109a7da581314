import ArgumentParser
import Glibc

/// `tractfs doctor`.
struct DoctorCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look for what keeps a mount from working, or from being fast.",
        discussion: """
            Give it what you would give "tractfs mount", without the mount point; options that say how files look, or how the \
            mount runs, don't matter to it. It looks, in this order, at FUSE and the \
            kernel, the settings, the credentials, the clock, the way to the store (address, connection, TLS, answer), the \
            bucket's region, the rights to list and to read, the round-trip time, the bandwidth, the cache and the memory. \
            Nothing is mounted and nothing is changed; at most 64MiB are read.

            Each line says "ok", "warning" (a mount works, but could do better), "failure" (a mount can't work) or "skipped", \
            and what to do. The exit status is 1 if there was a failure, and 0 otherwise.

            With --json the findings are one array of objects: "check", "status" (one of these four words), "message", \
            "advice" (null where there is none) and "values", whose names end in their units ("milliseconds", \
            "bytes_per_second").
            """)

    @Argument(help: ArgumentHelp("What is to be mounted.", valueName: "s3://BUCKET[/PREFIX]"), completion: .bucket)
    var uri: String

    @Flag(help: "Print a JSON array, for programs.")
    var json = false

    @OptionGroup(title: "Where the bucket is")
    var store: StoreOptions

    @OptionGroup(title: "What is kept on the local disk")
    var cache: CacheOptions

    @OptionGroup(title: "How files look")
    var appearance: AppearanceOptions

    @OptionGroup(title: "How it runs")
    var running: RunningOptions

    @OptionGroup(title: "Where options are set")
    var files: ConfigurationOptions

    func run() throws {
        // A server or a reader that goes away is noticed by what writing to it returns.
        signal(SIGPIPE, SIG_IGN)
        var findings: [Finding] = []
        let lines = FindingLines(isColored: isColored)
        let examination = Examination(command: self, environment: Environment.variables()) { finding in
            findings.append(finding)
            if !json { try StandardOutput.write(lines.line(finding) + "\n") }
        }
        try examination.run()
        try StandardOutput.write((json ? FindingsJSON(findings).text : lines.summary(findings)) + "\n")
        if findings.contains(where: { $0.status == .failure }) { throw ExitCode.failure }
    }

    /// Colours are for people at a terminal, unless they don't want any (no-color.org).
    private var isColored: Bool {
        let variables = Environment.variables()
        return isatty(STDOUT_FILENO) == 1 && variables["NO_COLOR"]?.isEmpty != false && variables["TERM"] != "dumb"
    }
}
