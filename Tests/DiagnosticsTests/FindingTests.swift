import CommandOutput
import SystemSupport
import Testing

@testable import Diagnostics

@Suite struct FindingTests {
    @Test func `a finding on an error has its advice behind the first semicolon`() {
        let finding = Finding.failure(.list, Failure("can't list s3://b/p; check the prefix; try again"))
        #expect(finding.message == "can't list s3://b/p")
        #expect(finding.advice == "check the prefix; try again")
        #expect(Finding.failure(.list, Failure("nothing to do")).advice == nil)
    }

    @Test func `the line of a finding shows no control characters and has colors only on request`() {
        let finding = Finding.warning(.encryption, "a\u{1b}[31mb", advice: "c")
        #expect(FindingLines(isColored: false).line(finding) == "warning  tls: a?[31mb; c")
        #expect(FindingLines(isColored: true).line(finding) == "\u{1b}[33mwarning\u{1b}[0m  tls: a?[31mb; c")
    }

    @Test func `the summary of findings counts failures and warnings`() {
        let lines = FindingLines(isColored: false)
        let warning = Finding.warning(.cache, "x", advice: nil)
        #expect(lines.summary([.ok(.fuse, "x"), .skipped(.read, because: "x")]) == "a mount should work")
        #expect(lines.summary([warning, warning]) == "a mount should work (2 warnings)")
        #expect(
            lines.summary([.failure(.fuse, "x", advice: nil), warning])
                == "a mount can't work like this (1 failure, 1 warning)")
    }

    @Test func `a finding as JSON has null for no advice, and its figures`() {
        let finding = Finding.ok(.roundTrip, "x", values: [("milliseconds", .real(1.5))])
        #expect(
            "\(finding.object)" == """
                {"check": "round-trip", "status": "ok", "message": "x", "advice": null, "values": {"milliseconds": 1.5}}
                """)
    }
}
