import CommandOutput
import Glibc
import SystemPackage
import SystemSupport

/// Starts the supervisor of a mount in the background, and waits until it says that the mount answers.
///
/// It is this same program, started anew in a session of its own: a Swift process can't fork, because it has threads.
enum BackgroundStart {
    /// - Parameters:
    ///   - arguments: The command line, without the program.
    ///   - device: The /dev/fuse that another program has mounted, if there is one to serve.
    static func run(_ arguments: [String], _ device: FileDescriptor?) throws {
        let pipe = try FileDescriptor.closeOnExecPipe()
        let child: ChildProcess
        do {
            defer { try? pipe.writeEnd.close() }
            var inheritance = Inheritance(.supervisor)
            inheritance.workingDirectory = AbsolutePath.of(".")
            inheritance.report = pipe.writeEnd
            inheritance.device = device
            child = try ChildProcess(
                OwnProgram.path(), named: CommandLine.arguments.first, arguments, environment: inheritance.environment,
                inheriting: inheritance.descriptors.map { .init($0, as: $0.rawValue) }, inNewSession: true)
        }
        // The mount ends with the processes that serve it, not with this one.
        try? device?.close()
        var report = ""
        repeat {
            if !report.isEmpty { StandardError.tell(String(report.dropFirst().dropLast())) }
            report = String(decoding: try readLine(pipe.readEnd), as: UTF8.self)
        } while report.first == StartReport.noticeMark
        if report == "\n" { return }
        let end = child.waitForEnd()
        guard report.isEmpty else { throw Failure(String(report.dropLast())) }
        throw Failure("the serving process ended before the mount answered (\(end)); tell us, with what it logged")
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
