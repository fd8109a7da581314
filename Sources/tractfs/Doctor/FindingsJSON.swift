import SystemSupport

/// Findings for programs: a JSON array, an object a line.
struct FindingsJSON {
    private let findings: [Finding]

    init(_ findings: [Finding]) {
        self.findings = findings
    }

    var text: String {
        "[\n" + findings.map { "  \(FindingsJSON.object($0))" }.joined(separator: ",\n") + "\n]"
    }

    private static func object(_ finding: Finding) -> JSONObject {
        [
            "check": .string(finding.check.rawValue), "status": .string(finding.status.rawValue),
            "message": .string(finding.message), "advice": finding.advice.map { .string($0) } ?? .null,
            "values": .object(JSONObject(finding.values)),
        ]
    }
}
