import Mounting
package import SystemPackage
import SystemSupport

/// Starts the supervisor of a mount in the background.
///
/// The supervisor is the same program in a new session. A Swift process can't fork, because it has threads.
package enum BackgroundStart {
    /// Starts the supervisor, and waits until it reports that the mount answers.
    ///
    /// - Parameters:
    ///   - arguments: The command line, without the program.
    ///   - environment: The environment of this process.
    ///   - workingDirectory: The absolute path of the working directory.
    ///   - device: The /dev/fuse that another program has mounted; `nil` if there is none.
    ///   - owner: The process with which the mount ends; `nil` if there is none.
    ///   - notice: Called with the reason whenever the mount has to wait.
    /// - Throws: The reason that there is no mount.
    package static func run(
        _ arguments: [String], environment: [String: String], workingDirectory: String, device: FileDescriptor?,
        owner: MountOwner?, notice: (String) -> Void
    ) throws {
        let pipe = try FileDescriptor.closeOnExecPipe()
        let child: ChildProcess
        do {
            defer { try? pipe.writeEnd.close() }
            var context = ChildContext(.supervisor)
            context.workingDirectory = workingDirectory
            context.startReport = pipe.writeEnd
            context.device = device
            context.owner = owner?.file
            child = try ChildProcess(
                OwnProgram.path(), named: CommandLine.arguments.first, arguments,
                environment: context.environment(addedTo: environment),
                inheriting: context.descriptors.map { .init($0, as: $0.rawValue) }, inNewSession: true)
        }
        // Only the processes of the mount may keep the device open, so that the mount ends with them.
        try? device?.close()
        var report = ""
        repeat {
            if !report.isEmpty { notice(String(report.dropFirst().dropLast())) }
            report = String(decoding: try readLine(pipe.readEnd), as: UTF8.self)
        } while report.hasPrefix(StartReport.noticeMark)
        if report == "\n" { return }
        let end = child.waitForEnd()
        throw report.isEmpty ? Supervisor.unexpectedEnd(end) : MountError(String(report.dropLast()))
    }

    /// Reads up to and including the first newline, or to the end.
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
