import Glibc
public import SystemPackage

/// A program started by this process (posix_spawn(3)). Uses no fork, which a Swift process with threads can't do
/// safely.
public struct ChildProcess: Sendable {
    /// The process ID.
    public let id: Int32

    /// The end of a child (wait(2)).
    public enum End: Hashable, Sendable {
        case exited(status: Int32)
        case killed(signal: Int32)
        /// Other code has waited for the child, or the system discarded its status (SIGCHLD ignored).
        case unknown
    }

    /// A descriptor that the child inherits.
    public struct Inheritance: Sendable {
        fileprivate let descriptor: FileDescriptor
        fileprivate let number: Int32

        /// Passes `descriptor` to the child as `number`, even if it is close-on-exec here.
        public init(_ descriptor: FileDescriptor, as number: Int32) {
            self.descriptor = descriptor
            self.number = number
        }
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: A path, or a name to look up in `PATH`.
    ///   - name: The program's `argv[0]`; equal to `program` if `nil`.
    ///   - arguments: The arguments without the program's name.
    ///   - environment: The environment as "NAME=VALUE"; that of this process if `nil`.
    ///   - inheriting: The descriptors that the child inherits; others are inherited only if they aren't close-on-exec.
    ///   - inNewSession: Gives the child a session of its own, so that it outlives this process's terminal.
    ///   - blocked: The signals that stay blocked until the child accepts them; all others are unblocked, whatever
    ///     their state here.
    /// - Throws: The reason that it can't be started.
    public init(
        _ program: String, named name: String? = nil, _ arguments: [String], environment: [String]? = nil,
        inheriting: [Inheritance] = [],
        inNewSession: Bool = false, blocking blocked: [Int32] = []
    ) throws(Errno) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for inheritance in inheriting {
            // A dup2 onto itself clears close-on-exec (posix_spawn_file_actions_adddup2(3p)).
            posix_spawn_file_actions_adddup2(&actions, inheritance.descriptor.rawValue, inheritance.number)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The child must not inherit this process's blocked and ignored signals.
        var mask = sigset_t()
        sigemptyset(&mask)
        for signal in blocked { sigaddset(&mask, signal) }
        posix_spawnattr_setsigmask(&attributes, &mask)
        var ignored = sigset_t()
        sigemptyset(&ignored)
        for signal in [SIGPIPE, SIGCHLD] { sigaddset(&ignored, signal) }
        posix_spawnattr_setsigdefault(&attributes, &ignored)
        let flags = Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF)
        posix_spawnattr_setflags(&attributes, inNewSession ? flags | ChildProcess.newSessionFlag : flags)
        var id: pid_t = 0
        let result = ChildProcess.withCStrings([name ?? program] + arguments) { argv in
            guard let environment else { return posix_spawnp(&id, program, &actions, &attributes, argv, environ) }
            return ChildProcess.withCStrings(environment) { envp in
                posix_spawnp(&id, program, &actions, &attributes, argv, envp)
            }
        }
        guard result == 0 else { throw Errno(rawValue: result) }
        self.id = id
    }

    /// Adopts a child that was started by the program that this process ran before execve(2).
    public init(adopting id: Int32) {
        self.id = id
    }

    /// POSIX_SPAWN_SETSID (spawn.h). glibc defines it only for GNU sources, and so not for Swift.
    private static let newSessionFlag: Int16 = 0x80

    /// Replaces this process's program (execve(2)). The process keeps its ID, its children and the inherited
    /// descriptors.
    ///
    /// - Parameters as for starting a program, but without a lookup in `PATH`.
    /// - Throws: The reason for the failure; this process is unchanged then.
    public static func replaceThisOne(
        by program: String, named name: String, _ arguments: [String], environment: [String],
        inheriting descriptors: [FileDescriptor]
    ) throws(Errno) -> Never {
        for descriptor in descriptors { _ = fcntl(descriptor.rawValue, F_SETFD, 0) }
        withCStrings([name] + arguments) { argv in
            withCStrings(environment) { envp in _ = execve(program, argv, envp) }
        }
        let reason = Errno(rawValue: errno)
        for descriptor in descriptors { _ = fcntl(descriptor.rawValue, F_SETFD, FD_CLOEXEC) }
        throw reason
    }

    /// Waits until the child has ended. Call it once.
    public func waitForEnd() -> End {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 {
            guard errno == EINTR else { return .unknown }
        }
        return ChildProcess.end(status: status)
    }

    /// Waits until the child has ended, for at most `limit`; `nil` after that. Don't call it again once it has returned
    /// the end.
    public func waitForEnd(within limit: Duration) -> End? {
        let deadline = ContinuousClock.now + limit
        while true {
            if let end = endIfThere() { return end }
            if ContinuousClock.now >= deadline { return nil }
            // A descriptor of the process would do without polling (pidfd_open(2)), but needs Linux 5.3.
            usleep(2_000)
        }
    }

    /// Returns the end of the child; `nil` if it is still running. Don't call it again once it has returned the end.
    public func endIfThere() -> End? {
        var status: Int32 = 0
        switch waitpid(id, &status, WNOHANG) {
        case 0: return nil
        case id: return ChildProcess.end(status: status)
        default: return .unknown
        }
    }

    private static func end(status: Int32) -> End {
        // WIFSIGNALED and WEXITSTATUS are macros, which Swift doesn't import.
        let signal = status & 0x7f
        return signal == 0 ? .exited(status: (status >> 8) & 0xff) : .killed(signal: signal)
    }

    /// Calls `body` with the strings in the form that exec needs: pointers, followed by a null pointer.
    private static func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}

extension ChildProcess.End: CustomStringConvertible {
    /// Text for a log, such as "signal 9, Killed".
    public var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .killed(let signal):
            strsignal(signal).map { "signal \(signal), \(String(cString: $0))" } ?? "signal \(signal)"
        case .unknown: "unknown status"
        }
    }
}
