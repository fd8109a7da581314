import Foundation
import ObjectStore
import TestSupport
import Testing

/// Signals that come while a program waits for the mount.
@Suite(.serialized, mounts) struct SignalTests {
    private static let isStressed = ProcessInfo.processInfo.environment["TRACTFS_STRESS"] != nil
    private static let roundCount = isStressed ? 100 : 2

    /// Signals without a meaning for the program, and the way in which it receives them.
    enum Disturbance: CaseIterable {
        case timer, profiler, user, child, window, urgent, queued, blockedInterrupt, ignoredInterrupt, ignoredHangup

        /// Python that receives the signal `number`, sent fifty times a second.
        var preparation: String {
            switch self {
            case .blockedInterrupt: Self.blocking + Self.catching
            case .ignoredInterrupt: "signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + Self.catching
            case .ignoredHangup: "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + Self.catching
            default: Self.catching
            }
        }

        private static let catching = "signal.signal(number, lambda *_: None)\n"
        private static let blocking =
            "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])\nos.kill(os.getpid(), signal.SIGINT)\n"

        /// The numbers of the signals that are sent.
        var signals: [Int32] {
            switch self {
            case .timer: [SIGALRM]
            case .profiler: [SIGPROF]
            case .user: [SIGUSR1]
            case .child: [SIGCHLD]
            case .window: [SIGWINCH]
            case .urgent: [SIGURG]
            // SIGRTMIN and 6: queued, as the POSIX timers of profilers send them.
            case .queued: [40]
            case .blockedInterrupt, .ignoredInterrupt: [SIGALRM, SIGINT]
            case .ignoredHangup: [SIGUSR2, SIGHUP]
            }
        }
    }

    /// Looks at a tree in all ways that wait, while a child sends signals all the time.
    private static let program = """
        import glob, mmap, os, signal, sys, time
        folder, numbers = sys.argv[1], [int(n) for n in sys.argv[2].split(",")]
        number, parent = numbers[0], os.getpid()
        PREPARATION
        child = os.fork()
        while child == 0:
            for n in numbers:
                os.kill(parent, n)
            time.sleep(.02)
            if os.getppid() != parent: os._exit(0)
        try:
            print([p[len(folder):] for p in sorted(glob.glob(folder + "/*/anat/*.nii.gz"))])
            print(os.path.exists(folder + "/sub-02/f.txt"), os.path.exists(folder + "/sub-02/none"))
            print(sorted(os.listdir(folder + "/sub-03")))
            print(sorted(e.name for e in os.scandir(folder + "/sub-04/anat")))
            print(len(open(folder + "/sub-01/anat/T1w.nii.gz", "rb").read()))
            direct = os.open(folder + "/sub-02/anat/T1w.nii.gz", os.O_RDONLY | os.O_DIRECT)
            print(os.preadv(direct, [mmap.mmap(-1, 1 << 20)], 0))
        finally:
            # No signal comes while Python ends, which puts the system's own actions back.
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        """

    private static let expectedOutput = """
        ['/sub-01/anat/T1w.nii.gz', '/sub-02/anat/T1w.nii.gz', '/sub-03/anat/T1w.nii.gz', '/sub-04/anat/T1w.nii.gz']
        True False
        ['anat', 'f.txt']
        ['T1w.nii.gz']
        300000
        300000

        """

    /// A bucket of a few subjects, each of whose requests takes `latency`.
    private func withSubjects(latency: Duration, _ test: (S3TestServer) throws -> Void) throws {
        try withS3TestServer { server in
            for subject in 1...4 {
                server.put(Key("sub-0\(subject)/anat/T1w.nii.gz"), .pattern(seed: 1, byteCount: 300_000))
                server.put(Key("sub-0\(subject)/f.txt"), .text("x"))
            }
            server.setLatency(latency)
            try test(server)
        }
    }

    private func python(_ mountPoint: String, _ signals: [Int32], _ preparation: String) throws -> CommandResult {
        let script = Self.program.replacing("PREPARATION", with: preparation)
        return try run("python3", ["-c", script, mountPoint, signals.map(String.init).joined(separator: ",")])
    }

    @Test(arguments: Disturbance.allCases)
    func `A program that receives signals sees what it would see without them`(disturbance: Disturbance) throws {
        try withSubjects(latency: .milliseconds(80)) { server in
            for _ in 0..<(disturbance == .timer ? Self.roundCount : 1) {
                try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                    let result = try python(mountPoint, disturbance.signals, disturbance.preparation)
                    #expect(result.output == Self.expectedOutput)
                    #expect(result.errorOutput.isEmpty)
                }
            }
        }
    }

    @Test func `A program with threads under a timer sees everything in each of them`() throws {
        let script = """
            import os, signal, sys, threading
            folder, found = sys.argv[1], {}
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, .02, .02)
            def look(n): found[n] = sorted(os.listdir(f"{folder}/sub-0{n}"))
            threads = [threading.Thread(target=look, args=[n]) for n in (1, 2, 3)]
            for thread in threads: thread.start()
            look(4)
            for thread in threads: thread.join()
            signal.setitimer(signal.ITIMER_REAL, 0)
            print(sorted(found.items()))
            """
        try withSubjects(latency: .milliseconds(200)) { server in
            try withMount(of: server, options: ["--no-cache"]) { mountPoint throws in
                let all = (1...4).map { "(\($0), ['anat', 'f.txt'])" }.joined(separator: ", ")
                #expect(try runChecked("python3", ["-c", script, mountPoint]) == "[\(all)]\n")
            }
        }
    }

    @Test(arguments: [SIGSTOP, SIGTSTP])
    func `A find that is stopped and continued finds everything`(signal: Int32) throws {
        try withSubjects(latency: .milliseconds(80)) { server in
            for _ in 0..<Self.roundCount {
                try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                    let find = try find(in: mountPoint) { find in
                        kill(find.processID, signal)
                        usleep(20_000)
                        kill(find.processID, SIGCONT)
                        usleep(10_000)
                    }
                    #expect(find.status == 0)
                    #expect(find.errorOutput.isEmpty)
                    #expect(find.output.split(separator: "\n").count == 17)
                }
            }
        }
    }

    @Test(.enabled(if: (try? run("strace", ["-V"]).status) == 0, "needs strace"))
    func `A find that is traced now and then finds everything`() throws {
        try withSubjects(latency: .milliseconds(200)) { server in
            try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                let find = try find(in: mountPoint) { find in
                    _ = try run(
                        "timeout", ["-s", "INT", "0.15", "strace", "-o", "/dev/null", "-p", "\(find.processID)"])
                }
                #expect(find.status == 0)
                #expect(find.errorOutput.isEmpty)
                #expect(find.output.split(separator: "\n").count == 17)
            }
        }
    }

    /// The end of a program, and its output.
    private struct Ended {
        let status: Int32
        let output: String
        let errorOutput: String

        init(_ process: BackgroundProcess) {
            status = process.status
            output = process.output
            errorOutput = process.errorOutput
        }
    }

    /// Runs find, and disturbs it all the time.
    private func find(in mountPoint: String, _ disturb: (BackgroundProcess) throws -> Void) throws -> Ended {
        try withTemporaryDirectory { directory in
            let find = try BackgroundProcess("find", [mountPoint], outputDirectory: directory)
            defer { find.end() }
            try eventually("the end of find") {
                if find.isRunning { try disturb(find) }
                return !find.isRunning
            }
            return Ended(find)
        }
    }

    // MARK: Signals that mean to stop

    /// A mount of a silent store: a wait ends by a signal, or after an hour.
    private func withSilentStore(_ test: (S3TestServer, String) throws -> Void) throws {
        try withSubjects(latency: .zero) { server in
            let options = ["--no-cache", "--read-timeout", "1h", "--metadata-ttl", "1h"]
            try withMount(of: server, options: options) { mountPoint in
                try runChecked("ls", ["-l", mountPoint + "/sub-01", mountPoint + "/sub-01/anat"])
                server.script(.any, .linger(.stall))
                server.clearLog()
                try test(server, mountPoint)
            }
        }
    }

    /// Starts a program, sends `signals` to it after its first request, and returns its result.
    private func end(
        _ command: [String], with signals: [Int32], of server: S3TestServer, in mountPoint: String
    ) throws -> Ended {
        try withTemporaryDirectory { directory in
            let process = try BackgroundProcess(
                command[0], Array(command.dropFirst()), directory: mountPoint, outputDirectory: directory)
            defer { process.end() }
            try eventually("a request") { !server.log.isEmpty }
            #expect(process.isRunning)
            for signal in signals { kill(process.processID, signal) }
            try process.waitForEnd(timeout: .seconds(60))
            return Ended(process)
        }
    }

    private static let deadly: [[Int32]] = [
        [SIGINT], [SIGTERM], [SIGHUP], [SIGKILL], [SIGALRM], [SIGUSR1], [40], [SIGWINCH, SIGCHLD, SIGINT],
    ]

    @Test(
        arguments: [["find", "."], ["stat", "sub-02/f.txt"]].flatMap { command in
            (deadly + [[SIGQUIT]]).map { (command, $0) }
        }
            // A wait for the page cache does not end by a signal that writes a core dump.
            + deadly.map { (["cat", "sub-01/anat/T1w.nii.gz"], $0) })
    func `A signal that a program leaves to the system ends it`(command: [String], signals: [Int32]) throws {
        try withSilentStore { server, mountPoint in
            let result = try end(command, with: signals, of: server, in: mountPoint)
            #expect(result.status == -(signals.last ?? 0))
        }
    }

    /// Python code that waits for a name, a listing, or an open.
    private static let waits = ["os.stat('sub-02/f.txt')", "os.listdir('sub-02')", "open('sub-02/f.txt')"]

    private func script(_ wait: String, _ preparation: String = "") -> String {
        """
        import os, signal
        \(preparation)
        try: \(wait)
        except BaseException as e: print(type(e).__name__)
        signal.setitimer(signal.ITIMER_REAL, 0)
        """
    }

    @Test(arguments: waits)
    func `Ctrl-C ends a wait of Python`(wait: String) throws {
        try withSilentStore { server, mountPoint in
            let result = try end(["python3", "-c", script(wait)], with: [SIGINT], of: server, in: mountPoint)
            #expect(result.output == "KeyboardInterrupt\n")
        }
    }

    @Test(arguments: [(SIGINT, "KeyboardInterrupt\n", 0), (SIGTERM, "", -SIGTERM), (SIGKILL, "", -SIGKILL)])
    func `A program under a timer can be ended`(signal: Int32, output: String, status: Int32) throws {
        let timer = """
            signal.signal(signal.SIGALRM, lambda *_: None)
            signal.setitimer(signal.ITIMER_REAL, .02, .02)
            """
        try withSilentStore { server, mountPoint in
            let command = ["python3", "-c", script(Self.waits[0], timer)]
            let result = try withTemporaryDirectory { directory in
                let process = try BackgroundProcess(
                    command[0], Array(command.dropFirst()), directory: mountPoint, outputDirectory: directory)
                defer { process.end() }
                try eventually("a request") { !server.log.isEmpty }
                try eventually("a signal of the timer that the wait holds back") {
                    try isPending(SIGALRM, in: process.processID)
                }
                #expect(process.isRunning)
                kill(process.processID, signal)
                try process.waitForEnd(timeout: .seconds(60))
                return Ended(process)
            }
            #expect(result.output == output)
            #expect(result.status == status)
        }
    }

    /// Returns `true` if a process has a signal pending (`ShdPnd` in proc_pid_status(5)).
    private func isPending(_ signal: Int32, in process: Int32) throws -> Bool {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let field = try #require(status.split(separator: "\n").first { $0.hasPrefix("ShdPnd:") })
        let signals = try #require(UInt64(field.dropFirst(7).trimmingCharacters(in: .whitespaces), radix: 16))
        return signals & 1 << UInt64(signal - 1) != 0
    }

    @Test func `A handler of its own ends the wait of a program that is asked to stop`() throws {
        let handler = "def stop(*_): raise SystemExit\nsignal.signal(signal.SIGTERM, stop)"
        try withSilentStore { server, mountPoint throws in
            let command = ["python3", "-c", script(Self.waits[1], handler)]
            #expect(try end(command, with: [SIGTERM], of: server, in: mountPoint).output == "SystemExit\n")
        }
    }
}
