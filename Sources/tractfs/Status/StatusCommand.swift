import ArgumentParser
import Glibc
import Reporting

/// The command `tractfs status`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show what mounts do, and what they have cost.",
        discussion: """
            Asks the mount itself; no port is open for it. Without a mount point all tractfs mounts are shown. Whoever may open \
            the mount's folder may ask. Counts begin when the serving process does, anew after a crash or an upgrade.

            With --json it is one object for a mount point, and an array of them without one. --prometheus is for the textfile \
            collector of the node exporter:

              tractfs status --prometheus -o /var/lib/prometheus/node-exporter/tractfs.prom

            docs/STATUS.md tells what each number means.
            """)

    @Argument(help: "Where it is mounted, or a path in there; all mounts where none is given.", completion: .mounts)
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
