import Foundation
import SystemSupport
import TestSupport
import Testing

@Suite("Captured output") struct CapturedOutputTests {
    private func run(
        _ script: String, _ arguments: [String] = [], byteLimit: Int = 1 << 20, timeLimit: Duration = .seconds(60)
    ) throws -> CapturedOutput {
        try CapturedOutput(
            of: "sh", ["-c", script, "sh"] + arguments, environment: ["PATH=/usr/bin:/bin", "A=b"],
            byteLimit: byteLimit,
            timeLimit: timeLimit)
    }

    @Test func `A captured program has the given environment, no input, and no standard error`() throws {
        let output = try run("cat; echo \"$A $1\"; echo x >&2; exit 3", ["c d"])
        #expect(output.bytes == Array("b c d\n".utf8))
        #expect(output.end == .exited(status: 3))
    }

    @Test(arguments: ["sleep 1000.5 & sleep 1000.5", "exec >&-; sleep 1000.5", "trap '' TERM HUP; sleep 1000.5"])
    func `A captured program that doesn't end is killed with all its children`(script: String) throws {
        let mark = "tractfs-\(UUID().uuidString)"
        let output = try run("sh -c '\(script)' \(mark); :", [mark], timeLimit: .milliseconds(500))
        #expect(output.end == .timedOut)
        try eventually("the end of all") { processes(withArgument: mark).isEmpty }
    }

    @Test func `A captured program that prints without end is killed`() throws {
        try #expect(run("yes").end == .timedOut)
    }
}
