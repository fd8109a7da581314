import ArgumentParser
import CommandOutput
import ObjectStore
import Reporting
import Settings
import SystemSupport

/// The command `tractfs report`.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write an HTML report on the activity of a mount, with charts.",
        discussion: """
            The report is one HTML file that loads no others: throughput, cache hits, requests and their price, and latencies \
            since the serving process began; the reads of files and folders, and of parts of large files; errors, versions and \
            settings, for a bug report. It contains names of files and of the bucket, but no secrets.

              tractfs report /mnt/hcp -o report.html

            The data come from the mount, as for tractfs status. With --json they are written for programs, to standard output \
            unless --output names a file. docs/REPORT.md explains each chart.
            """)

    @Argument(help: "The mount point, or a path in the mount.", completion: .mounts)
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
        return ReportHTML(report, mountPoint: asked.mountPoint, source: asked.source, madeAt: .now).text
    }
}
