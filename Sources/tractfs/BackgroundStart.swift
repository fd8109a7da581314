import FuseBridge
import Glibc
import SystemSupport
import SystemPackage

/// Starts a process that serves in the background, and waits until it says that the mount answers.
///
/// It is this same program, started anew in a session of its own: a Swift process can't fork, because it has threads.
enum BackgroundStart {
    /// - Parameter arguments: The command line, without the program.
    static func run(_ arguments: [String]) throws {
        let pipe = try FileDescriptor.closeOnExecPipe()
        let child: ChildProcess
        do {
            defer { try? pipe.writeEnd.close() }
            let environment = Environment.variables().map { "\($0.key)=\($0.value)" } + ["\(StartReport.variable)=1"]
            child = try ChildProcess(
                program(), named: CommandLine.arguments.first ?? "tractfs", arguments, environment: environment,
                inheriting: [.init(pipe.writeEnd, as: StartReport.descriptorNumber)], inNewSession: true)
        }
        let report = String(decoding: try readLine(pipe.readEnd), as: UTF8.self)
        if report == "\n" { return }
        let end = child.waitForEnd()
        guard report.isEmpty else { throw Failure(String(report.dropLast())) }
        throw Failure("the serving process ended before the mount answered (\(end)); tell us, with what it logged")
    }

    /// This program. By its own path where that still is it, so that the process has its name in `ps` and `pgrep`.
    private static func program() -> String {
        let link = "/proc/self/exe"
        guard let path = MountPoint.resolve(link), access(path, X_OK) == 0 else { return link }
        return path
    }

    /// Up to the first newline, or to the end.
    private static func readLine(_ file: FileDescriptor) throws -> [UInt8] {
        var line: [UInt8] = []
        while line.last != UInt8(ascii: "\n") {
            let byte = try file.readToEnd(limit: 1)
            if byte.isEmpty { break }
            line += byte
        }
        return line
    }
}
