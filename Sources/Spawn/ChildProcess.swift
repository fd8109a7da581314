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
    /// - Throws: Why it can't be started.
    public init(
        _ program: String, named name: String? = nil, _ arguments: [String], environment: [String]? = nil,
        inheriting: [Inheritance] = [],
        inNewSession: Bool = false
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
        if inNewSession { posix_spawnattr_setflags(&attributes, ChildProcess.newSessionFlag) }
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

    /// POSIX_SPAWN_SETSID (spawn.h), which glibc shows to GNU sources only, and so not to Swift.
    private static let newSessionFlag: Int16 = 0x80

    /// Waits until the child has ended. To be called once.
    public func waitForEnd() -> End {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
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

extension FileDescriptor {
    /// A pipe whose ends no child gets unless it is meant to.
    public static func closeOnExecPipe() throws(Errno) -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) {
        do {
            let pipe = try FileDescriptor.pipe()
            for end in [pipe.readEnd, pipe.writeEnd] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
            return pipe
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// All that can be read until the other side closes, or `limit` bytes.
    public func readToEnd(limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
            while bytes.count < limit {
                let count = try read(into: buffer)
                if count == 0 { break }
                bytes.append(contentsOf: buffer[..<count])
            }
        }
        return bytes
    }
}
