import Foundation
import TestSupport
import Testing

/// The output of `tractfs doctor --json`.
struct Diagnosis {
    struct Finding {
        let check: String
        let status: String
        let message: String
        let advice: String?
        let values: [String: any Sendable]

        /// All that a person reads.
        var text: String { message + "; " + (advice ?? "") }
    }

    /// All checks in their order.
    static let checks = [
        "fuse", "passthrough", "takeover", "settings", "credentials", "clock", "name", "connection", "tls", "endpoint",
        "region",
        "list", "read", "round-trip", "bandwidth", "cache", "memory",
    ]

    let findings: [Finding]
    let exitStatus: Int32
    private let output: String

    /// Runs the doctor on `uri`, and expects the form that programs rely on, and no secrets.
    ///
    /// - Parameter launcher: A command that starts the command behind it.
    init(
        of uri: String, _ options: [String] = [], environment: [String: String] = environmentWithKeys,
        launcher: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let command = launcher + [try tractfsExecutable(), "doctor", uri, "--json"] + options
        let result = try run(command[0], Array(command.dropFirst()), environment: environment)
        exitStatus = result.status
        output = result.output
        findings = try Self.findings(in: result.output)
        #expect(findings.map(\.check) == Self.checks, sourceLocation: sourceLocation)
        #expect(result.errorOutput == "", sourceLocation: sourceLocation)
        let hasFailure = findings.contains { $0.status == "failure" }
        #expect(exitStatus == (hasFailure ? 1 : 0), sourceLocation: sourceLocation)
        for secret in [TestKeys.accessKeyID, TestKeys.secretAccessKey, TestKeys.sessionToken] {
            #expect(!result.output.contains(secret), sourceLocation: sourceLocation)
        }
    }

    private static func findings(in json: String) throws -> [Finding] {
        let objects = try #require(JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
        return try objects.map { object in
            #expect(Set(object.keys) == ["check", "status", "message", "advice", "values"])
            let status = try #require(object["status"] as? String)
            #expect(["ok", "warning", "failure", "skipped"].contains(status))
            let advice = object["advice"] as? String
            #expect(advice != nil || object["advice"] is NSNull)
            #expect(advice == nil || status == "warning" || status == "failure")
            return Finding(
                check: try #require(object["check"] as? String), status: status,
                message: try #require(object["message"] as? String), advice: advice,
                values: try #require(object["values"] as? [String: any Sendable]))
        }
    }

    /// The finding of a check.
    subscript(check: String) -> Finding {
        get throws { try #require(findings.first { $0.check == check }, "\(check) in \(output)") }
    }

    /// Expects the status of one check, and words in its message.
    func expect(
        _ check: String, _ status: String, _ words: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let finding = try self[check]
        #expect(finding.status == status, "\(finding)", sourceLocation: sourceLocation)
        for word in words {
            #expect(finding.text.contains(word), "\(finding.text)", sourceLocation: sourceLocation)
        }
    }

    /// Expects that one check failed, and that these were skipped for it.
    func expectFailure(
        of check: String, _ words: [String], skipping skipped: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        try expect(check, "failure", words, sourceLocation: sourceLocation)
        let others = findings.filter { $0.status == "failure" && $0.check != check && $0.check != "fuse" }
        #expect(others.isEmpty, "\(others)", sourceLocation: sourceLocation)
        for check in skipped { try expect(check, "skipped", sourceLocation: sourceLocation) }
    }
}
