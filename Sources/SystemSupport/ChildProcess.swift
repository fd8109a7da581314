import Glibc
public import SystemPackage

/// A program that this process has started (posix_spawn(3)), without fork, which a Swift process with threads can't use.
public struct ChildProcess: Sendable {
    /// Its process id.
    public let id: Int32

    /// How a child ended (wait(2)).
    public enum End: Hashable, Sendable {
        case exited(status: Int32)
        case killed(signal: Int32)
        /// Somebody else has waited for it, or the system was told not to keep it (SIGCHLD ignored).
        case unknown
    }

    /// A descriptor that the child gets.
    public struct Inheritance: Sendable {
        fileprivate let descriptor: FileDescriptor
        fileprivate let number: Int32

        /// The child finds `descriptor` under `number`, also one that is close-on-exec here.
        public init(_ descriptor: FileDescriptor, as number: Int32) {
            self.descriptor = descriptor
            self.number = number
        }
    }

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - program: A path, or a name to be looked for in `PATH`.
    ///   - name: What the program is told that it is called (`argv[0]`); as `program` where it is `nil`.
    ///   - arguments: Without the program's name.
    ///   - environment: "NAME=VALUE" each; all of this process's where it is `nil`.
    ///   - inheriting: Descriptors that the child gets; others only if they aren't close-on-exec.
    ///   - inNewSession: Whether the child gets a session of its own, and so outlives this process's terminal.
    ///   - blocked: Signals that wait until the child takes them; others aren't blocked, whatever they are here.
    /// - Throws: Why it can't be started.
    public init(
        _ program: String, named name: String? = nil, _ arguments: [String], environment: [String]? = nil,
        inheriting: [Inheritance] = [],
        inNewSession: Bool = false, blocking blocked: [Int32] = []
    ) throws(Errno) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for inheritance in inheriting {
            // Onto itself takes close-on-exec off (posix_spawn_file_actions_adddup2(3p)).
            posix_spawn_file_actions_adddup2(&actions, inheritance.descriptor.rawValue, inheritance.number)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Which signals this process blocks or ignores is its own affair.
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

    /// A child that the program started which this process was before it called execve(2).
    public init(adopting id: Int32) {
        self.id = id
    }

    /// POSIX_SPAWN_SETSID (spawn.h), which glibc shows to GNU sources only, and so not to Swift.
    private static let newSessionFlag: Int16 = 0x80

    /// Makes this process another program (execve(2)): it keeps its id, its children and the descriptors that it hands on.
    ///
    /// - Parameters as for starting one, without a `PATH`.
    /// - Throws: Why it can't be; this process then is what it was.
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

    /// Waits until the child has ended. To be called once.
    public func waitForEnd() -> End {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 {
            guard errno == EINTR else { return .unknown }
        }
        return ChildProcess.end(status: status)
    }

    /// Waits until the child has ended, but no longer than `limit`; `nil` where it hasn't by then. Not to be called any more when
    /// it has told the end.
    public func waitForEnd(within limit: Duration) -> End? {
        let deadline = ContinuousClock.now + limit
        while true {
            if let end = endIfThere() { return end }
            if ContinuousClock.now >= deadline { return nil }
            usleep(10_000)
        }
    }

    /// How the child has ended, `nil` where it hasn't yet. Not to be called any more when it has told the end.
    public func endIfThere() -> End? {
        var status: Int32 = 0
        switch waitpid(id, &status, WNOHANG) {
        case 0: return nil
        case id: return ChildProcess.end(status: status)
        default: return .unknown
        }
    }

    private static func end(status: Int32) -> End {
        // WIFSIGNALED and WEXITSTATUS are macros.
        let signal = status & 0x7f
        return signal == 0 ? .exited(status: (status >> 8) & 0xff) : .killed(signal: signal)
    }

    /// Calls `body` with the strings as exec wants them: pointers, with a null pointer behind the last.
    private static func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}

extension ChildProcess.End: CustomStringConvertible {
    /// For a log: "signal 9, Killed".
    public var description: String {
        switch self {
        case .exited(let status): "exit status \(status)"
        case .killed(let signal):
            strsignal(signal).map { "signal \(signal), \(String(cString: $0))" } ?? "signal \(signal)"
        case .unknown: "nobody knows how"
        }
    }
}
