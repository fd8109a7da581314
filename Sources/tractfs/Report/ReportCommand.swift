import ArgumentParser
import ObjectStore
import SystemSupport

/// The command `tractfs report`.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write a page about what a mount did and read, with charts.",
        discussion: """
            One HTML file that needs nothing else, to be opened in a browser, printed or mailed: throughput, what the caches \
            answered, requests and their price, latencies over the time since the serving process began; which files and \
            folders were read how often, and which parts of large files; errors, versions and settings, for a bug report. It \
            has names of files and of the bucket, and no secret.

              tractfs report /mnt/hcp -o report.html

            The mount itself is asked, as by tractfs status. With --json it is the same for programs, to standard output \
            unless --output says otherwise. docs/REPORT.md tells what each chart means.
            """)

    @Argument(help: "Where it is mounted, or a path in there.", completion: .mounts)
    var mountPoint: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The file to write, replaced in one step; \"-\" for standard output (default: \(standardOutput)).",
            valueName: "file"), completion: .file())
    var output: String?

    @Flag(help: "Write JSON, for programs.")
    var json = false

    private static let standardOutput = "tractfs-report.html"

    func validate() throws {
        if mountPoint.isEmpty { throw ValidationError("the mount point is empty; give the folder") }
        if output?.isEmpty == true { throw ValidationError("--output needs the path of a file, or \"-\"") }
    }

    func run() throws {
        let asked = try AskedReport.one(at: mountPoint)
        let text = json ? asked.json : try page(asked)
        let path = output ?? (json ? "-" : ReportCommand.standardOutput)
        if path == "-" { return try StandardOutput.write(text) }
        try ReplacedFile(AbsolutePath.of(path)).write(text)
        // A program that requested JSON knows its path.
        if !json { try StandardOutput.write("wrote \(path) (\(ByteCount(text.utf8.count).rounded))\n") }
    }

    private func page(_ asked: AskedReport) throws -> String {
        let report = try asked.report()
        return ReportDraft(report, mountPoint: asked.mountPoint, source: asked.source, madeAt: .now).page.text
    }
}
