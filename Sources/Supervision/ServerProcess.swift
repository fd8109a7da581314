import Glibc
import SystemPackage
import SystemSupport

/// A server that a supervisor has started.
package struct ServerProcess {
    let process: ChildProcess
    /// The socket for its `ServerReport`s.
    let reports: FileDescriptor

    /// The exit status of a server that leaves its mount to the next one: EX_TEMPFAIL of sysexits.h.
    package static let handoverExitStatus: Int32 = 75

    /// Starts a server in a session of its own, so that signals of a terminal reach it only through the supervisor. (A
    /// Swift process can't fork, because it has threads.) For a successor signals stay blocked until it can handle
    /// them: a mount must not end by a signal that only asks for reopening the log.
    ///
    /// - Parameters:
    ///   - program: The path of the program.
    ///   - arguments: The command line of the mount, without the program.
    ///   - environment: The environment without the context.
    ///   - context: The context of the server, to which the socket is added.
    init(
        _ program: String, _ arguments: [String], environment: [String: String], _ context: ChildContext
    ) throws(Errno) {
        let (ours, theirs) = try MessageSocket.pair()
        defer { try? theirs.close() }
        var context = context
        context.supervisor = theirs
        do throws(Errno) {
            process = try ChildProcess(
                program, named: CommandLine.arguments.first, arguments,
                environment: context.environment(addedTo: environment),
                inheriting: context.descriptors.map { .init($0, as: $0.rawValue) }, inNewSession: true,
                blocking: context.role == .successor ? TerminationSignals.all : [])
        } catch {
            try? ours.close()
            throw error
        }
        reports = ours
    }
}
