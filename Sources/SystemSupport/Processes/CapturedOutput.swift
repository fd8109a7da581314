import Glibc
public import SystemPackage

/// The standard output of a program, and its end. The program's input is empty, its standard error is dropped, and it
/// can't prompt on a terminal.
public struct CapturedOutput: Sendable {
    /// The end of a program.
    public enum End: Hashable, Sendable {
        case exited(status: Int32)
        case killed(signal: Int32)
        /// The program was killed with all its children, because it exceeded the time or byte limit.
        case timedOut
    }

    /// The captured output.
    public let bytes: [UInt8]
    /// The end of the program.
    public let end: End

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - program: A path, or a name to look up in `PATH`.
    ///   - arguments: The arguments without the program's name.
    ///   - environment: The complete environment, as "NAME=VALUE".
    ///   - byteLimit: The most bytes that it may write.
    ///   - timeLimit: The longest time that it may run.
    /// - Throws: The reason that it can't be started.
    public init(
        of program: String, _ arguments: [String], environment: [String], byteLimit: Int, timeLimit: Duration
    ) throws(Errno) {
        let deadline = ContinuousClock.now + timeLimit
        let pipe = try FileDescriptor.closeOnExecPipe()
        defer { try? pipe.readEnd.close() }
        let child = try Self.start(program, arguments, environment: environment, output: pipe.writeEnd)
        let bytes = Self.read(pipe.readEnd, byteLimit: byteLimit, deadline: deadline)
        let end = bytes.flatMap { _ in Self.wait(for: child, deadline: deadline) }
        self.bytes = bytes ?? []
        if let end {
            self.end = end
        } else {
            // The child leads its session, and so its process group.
            kill(-child.id, SIGKILL)
            _ = child.waitForEnd()
            self.end = .timedOut
        }
    }

    private static func start(
        _ program: String, _ arguments: [String], environment: [String], output: FileDescriptor
    ) throws(Errno) -> ChildProcess {
        let null: FileDescriptor
        do {
            null = try FileDescriptor.open("/dev/null", .readWrite, options: .closeOnExec)
        } catch {
            try? output.close()
            throw error as? Errno ?? .ioError
        }
        defer {
            try? null.close()
            try? output.close()
        }
        return try ChildProcess(
            program, arguments, environment: environment,
            inheriting: [
                .init(null, as: STDIN_FILENO), .init(output, as: STDOUT_FILENO), .init(null, as: STDERR_FILENO),
            ], inNewSession: true)
    }

    /// Returns all bytes up to the end of the file; `nil` after the deadline or after too many bytes.
    private static func read(
        _ file: FileDescriptor, byteLimit: Int, deadline: ContinuousClock.Instant
    ) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < byteLimit {
            let wait = deadline - .now
            var polled = pollfd(fd: file.rawValue, events: Int16(POLLIN), revents: 0)
            guard wait > .zero, poll(&polled, 1, CInt((wait / .milliseconds(1)).rounded(.up))) > 0 || errno == EINTR
            else { return nil }
            if polled.revents == 0 { continue }
            let chunk = withUnsafeTemporaryAllocation(byteCount: 4_096, alignment: 1) { buffer in
                (try? file.read(into: buffer)).map { Array(buffer[..<$0]) }
            }
            guard let chunk, !chunk.isEmpty else { return bytes }
            bytes += chunk
        }
        return nil
    }

    /// Waits for a child that has closed its output, and should end soon.
    private static func wait(for child: ChildProcess, deadline: ContinuousClock.Instant) -> End? {
        switch child.waitForEnd(within: deadline - .now) {
        case .exited(let status): .exited(status: status)
        case .killed(let signal): .killed(signal: signal)
        case .unknown: .exited(status: -1)
        case nil: nil
        }
    }
}
