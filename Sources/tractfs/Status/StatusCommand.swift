import ArgumentParser
import CommandOutput
import Glibc
import Reporting
import SystemSupport

/// The command `tractfs status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the activity of mounts, and its cost.",
        discussion: """
            The data come from the mount; it opens no port for that. Without a mount point, all tractfs mounts are shown. \
            Users who may open the mount's folder may see its status. Counts begin with the serving process, again after a \
            crash or an upgrade.

            With --json the output is one object for a mount point, and an array of objects without one. --prometheus is for \
            the textfile collector of the node exporter:

              tractfs status --prometheus -o /var/lib/prometheus/node-exporter/tractfs.prom

            docs/STATUS.md explains each number.
            """)

    @Argument(help: "The mount point, or a path in the mount; all mounts if omitted.", completion: .mounts)
    var mountPoint: String?

    @Flag(help: "Print JSON, for programs.")
    var json = false

    @Flag(help: "Print metrics in Prometheus' text format.")
    var prometheus = false

    @Flag(help: "Show a live screen, until Ctrl-C.")
    var watch = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Replace this file, in one step, instead of printing.", valueName: "file"),
        completion: .file())
    var output: String?

    func validate() throws {
        if mountPoint?.isEmpty == true {
            throw ValidationError("the mount point is empty; give the folder, or none for all mounts")
        }
        if json, prometheus {
            throw ValidationError("--json and --prometheus are two forms of the same; give one of them")
        }
        if watch, json || prometheus {
            throw ValidationError("--watch is for people; leave out --json and --prometheus")
        }
        if watch, output != nil {
            throw ValidationError("--watch shows a screen, and --output writes a file; give one of them")
        }
        if output?.isEmpty == true { throw ValidationError("--output needs the path of a file") }
    }

    func run() throws {
        if watch { return try StatusScreen(watching: mountPoint).run() }
        let mounts = try mountPoint.map { [try AskedMount.one(at: $0)] } ?? AskedMount.all()
        let text = text(of: mounts)
        if let output { try ReplacedFile(AbsolutePath.of(output)).write(text) } else { try StandardOutput.write(text) }
        // In a list, a mount that doesn't answer is part of the answer.
        if mountPoint != nil { _ = try mounts.first?.answer.get() }
    }

    private func text(of mounts: [AskedMount]) -> String {
        if prometheus { return StatusMetrics(mounts.map(\.observed)).text }
        if json {
            return (mountPoint == nil ? StatusJSON.array(mounts) : mounts.map(StatusJSON.object).joined()) + "\n"
        }
        if mounts.isEmpty { return "no tractfs mount\n" }
        return mounts.map { StatusText($0.observed).text }.joined(separator: "\n")
    }
}
