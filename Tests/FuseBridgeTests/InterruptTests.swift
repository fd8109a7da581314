import Glibc
import TestSupport
import Testing

@testable import FuseBridge

/// The meaning of an interrupt, by the text of /proc/TID/status.
struct InterruptTests {
    /// Returns a thread's status with these signals.
    struct Caller: CustomTestStringConvertible {
        let testDescription: String
        var name = "python3"
        var state = "D (disk sleep)"
        var tracer = 0
        var ofThread: [Int32] = []
        var ofProcess: [Int32] = []
        var blocked: [Int32] = []
        var ignored: [Int32] = []
        var caught: [Int32] = []
        let meaning: InterruptMeaning

        /// The file's text on Linux 6.18, with a list of groups.
        var text: String {
            func set(_ signals: [Int32]) -> String {
                let digits = String(SignalSet(signals).rawValue, radix: 16)
                return String(repeating: "0", count: 16 - digits.count) + digits
            }
            let groups = (0..<2_000).map(String.init).joined(separator: " ")
            return """
                Name:\t\(name)
                Umask:\t0022
                State:\t\(state)
                Tgid:\t2511
                Ngid:\t0
                Pid:\t2512
                PPid:\t2500
                TracerPid:\t\(tracer)
                Uid:\t1000\t1001\t1002\t1003
                Gid:\t1000\t1000\t1000\t1000
                FDSize:\t64
                Groups:\t\(groups)\u{20}
                NStgid:\t2511
                VmPeak:\t   18476 kB
                Threads:\t2
                SigQ:\t1/31653
                SigPnd:\t\(set(ofThread))
                ShdPnd:\t\(set(ofProcess))
                SigBlk:\t\(set(blocked))
                SigIgn:\t\(set(ignored))
                SigCgt:\t\(set(caught))
                CapInh:\t0000000000000000
                Seccomp:\t0
                Cpus_allowed_list:\t0-1
                voluntary_ctxt_switches:\t12

                """
        }
    }

    private static let callers =
        [
            Caller(testDescription: "no signal: a freezer, a tracer that attaches", meaning: .goOn),
            Caller(testDescription: "SIGKILL", ofThread: [SIGKILL], meaning: .stop),
            Caller(testDescription: "SIGKILL of the process", ofProcess: [SIGKILL], meaning: .stop),
            Caller(
                testDescription: "SIGKILL, all else blocked, traced", tracer: 7, ofThread: [SIGKILL],
                blocked: Array(1...8) + Array(10...18) + Array(20...64), meaning: .stop),
            Caller(testDescription: "ended", state: "Z (zombie)", meaning: .stop),
            Caller(testDescription: "dead", state: "X (dead)", meaning: .stop),
            Caller(testDescription: "a name that looks like a field", name: "SigPnd:\\nffff", meaning: .goOn),
            Caller(
                testDescription: "a real-time signal", ofThread: [40], meaning: .stop),
            Caller(testDescription: "a real-time signal that is caught", ofThread: [40], caught: [40], meaning: .goOn),
            Caller(
                testDescription: "SIGINT caught behind a timer", ofProcess: [SIGALRM, SIGINT],
                caught: [SIGALRM, SIGINT], meaning: .mayStop),
            Caller(
                testDescription: "SIGINT blocked behind a timer", ofProcess: [SIGALRM, SIGINT], blocked: [SIGINT],
                caught: [SIGALRM], meaning: .goOn),
            Caller(
                testDescription: "SIGINT ignored but pending, behind a timer", ofProcess: [SIGALRM, SIGINT],
                ignored: [SIGINT], caught: [SIGALRM], meaning: .goOn),
            Caller(
                testDescription: "a deadly signal behind a caught one", ofThread: [SIGUSR1], ofProcess: [SIGINT],
                caught: [SIGINT], meaning: .stop),
            Caller(testDescription: "SIGINT under a debugger", tracer: 7, ofProcess: [SIGINT], meaning: .mayStop),
            Caller(testDescription: "SIGTRAP under a debugger", tracer: 7, ofThread: [SIGTRAP], meaning: .goOn),
            Caller(testDescription: "SIGSTOP under a tracer", tracer: 7, ofThread: [SIGSTOP], meaning: .goOn),
        ] + single

    /// Each kind of signal: caught, ignored, blocked, and with the default action.
    private static let single: [Caller] = (1...64).filter { $0 != SIGKILL }.flatMap { number -> [Caller] in
        let survived = [SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU].contains(number)
        let asksToStop = [SIGHUP, SIGINT, SIGQUIT, SIGTERM].contains(number)
        return [
            Caller(
                testDescription: "signal \(number)", ofProcess: [number], meaning: survived ? .goOn : .stop),
            Caller(
                testDescription: "signal \(number), caught", ofProcess: [number], caught: [number],
                meaning: asksToStop ? .mayStop : .goOn),
            Caller(
                testDescription: "signal \(number), ignored", ofThread: [number], ignored: [number], meaning: .goOn),
            Caller(
                testDescription: "signal \(number), blocked", ofThread: [number], ofProcess: [number],
                blocked: [number], meaning: .goOn),
        ]
    }

    @Test(arguments: callers)
    func `the pending signals of a caller decide whether its request continues`(caller: Caller) throws {
        let status = try #require(CallerStatus(parsing: caller.text.utf8))
        #expect(InterruptMeaning(of: status) == caller.meaning)
        #expect(status.fileSystemUserID == 1003)
    }

    @Test(arguments: ["State:", "TracerPid:", "Uid:", "SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:"])
    func `a thread status without one of its fields is ignored`(field: String) {
        let whole = Caller(testDescription: "", meaning: .goOn).text
        let others = whole.split(separator: "\n").filter { !$0.hasPrefix(field) }
        #expect(others.count == whole.split(separator: "\n").count - 1)
        #expect(CallerStatus(parsing: others.joined(separator: "\n").utf8) == nil)
        let damaged = whole.replacing(field, with: field + "\tzz\t")
        #expect(["State:", "TracerPid:"].contains(field) || CallerStatus(parsing: damaged.utf8) == nil)
    }

    @Test func `text that is not a thread status is ignored`() {
        for text in ["", "\n", ":", "Uid:", "Uid:\t1\n", "SigPnd:\t\u{FFFD}\n"] {
            #expect(CallerStatus(parsing: text.utf8) == nil)
        }
    }

    @Test func `a caller that is asked to stop has half a second to continue`() {
        let start = ContinuousClock.now
        var decision = InterruptDecision()
        func ends(_ meaning: InterruptMeaning, after milliseconds: Int) -> Bool {
            decision.ends(meaning, now: start + .milliseconds(milliseconds))
        }
        #expect(!ends(.goOn, after: 0))
        #expect(!ends(.goOn, after: 60_000), "nothing but the signals counts")
        #expect(!ends(.mayStop, after: 60_050))
        #expect(!ends(.mayStop, after: 60_549))
        #expect(!ends(.goOn, after: 60_550), "another thread has taken the signal")
        #expect(!ends(.mayStop, after: 60_600), "the half second begins anew")
        #expect(!ends(.mayStop, after: 61_099))
        #expect(ends(.mayStop, after: 61_100))
        #expect(ends(.stop, after: 61_100))
    }

    @Test func `an interrupt of this process does not end its request`() throws {
        let caller = FuseBridge.Caller(threadID: getpid(), userID: geteuid(), isForeign: false)
        #expect(caller.interruptMeaning() == .goOn)
    }

    @Test func `the request of a caller that has ended stops, and that of an invisible one continues`() throws {
        try withTemporaryDirectory { directory in
            // `sh` becomes the sleep, and never waits for its child.
            let parent = try BackgroundProcess(
                "sh", ["-c", "true & echo $!; exec sleep 100"], outputDirectory: directory)
            defer { parent.end() }
            try eventually("a child's ID") { parent.output.hasSuffix("\n") }
            let child = try #require(Int32(parent.output.dropLast()))
            func meaning(of threadID: Int32, userID: UInt32 = geteuid(), isForeign: Bool = false) -> InterruptMeaning {
                FuseBridge.Caller(threadID: threadID, userID: userID, isForeign: isForeign).interruptMeaning()
            }
            try eventually("the meaning of a zombie") { meaning(of: child) == .stop }
            #expect(meaning(of: child, userID: geteuid() + 1, isForeign: true) == .goOn, "another thread's number")
            #expect(meaning(of: 0) == .goOn)
            parent.end()
            // Their parent is now a process that waits for them.
            try eventually("the end of the zombie") { kill(child, 0) != 0 }
            #expect(meaning(of: child) == .stop)
            #expect(meaning(of: child, isForeign: true) == .goOn)
        }
    }
}
