import Glibc
import SystemPackage
import SystemSupport

/// A serving process that a supervisor has started.
struct ServerProcess {
    let process: ChildProcess
    /// Where its `ServerReport`s come from.
    let reports: FileDescriptor

    /// Starts one: this same program, started anew in a session of its own, so that a terminal's signals come by way of the
    /// supervisor only. (A Swift process can't fork, because it has threads.) Signals to one that is to take over wait until it
    /// can do as they say: the mount must not end by one that only asks to open the log again.
    ///
    /// - Parameters:
    ///   - program: What to start.
    ///   - arguments: The mount's command line, without the program.
    ///   - inheritance: What it gets, beside the socket to the supervisor.
    init(_ program: String, _ arguments: [String], inheriting inheritance: Inheritance) throws(Errno) {
        let (ours, theirs) = try MessageSocket.pair()
        defer { try? theirs.close() }
        var inheritance = inheritance
        inheritance.supervisor = theirs
        do throws(Errno) {
            process = try ChildProcess(
                program, named: CommandLine.arguments.first, arguments, environment: inheritance.environment,
                inheriting: inheritance.descriptors.map { .init($0, as: $0.rawValue) }, inNewSession: true,
                blocking: inheritance.role == .successor ? EndingSignals.all : [])
        } catch {
            try? ours.close()
            throw error
        }
        reports = ours
    }
}
