/// Findings as text for users, one line each.
package struct FindingLines {
    private let isColored: Bool

    package init(isColored: Bool) {
        self.isColored = isColored
    }

    /// Returns a line such as
    /// "warning  clock: this machine's clock is …; set the clock, with: …"
    package func line(_ finding: Finding) -> String {
        let status = finding.status.rawValue
        let padding = String(repeating: " ", count: FindingLines.width - status.count)
        let advice = finding.advice.map { "; \($0)" } ?? ""
        return "\(colored(finding.status))\(padding)\(finding.check.rawValue): "
            + FindingLines.plain(finding.message + advice)
    }

    /// Returns the line for all findings together.
    package func summary(_ findings: [Finding]) -> String {
        let failureCount = findings.count { $0.status == .failure }
        let warningCount = findings.count { $0.status == .warning }
        let counts = [(failureCount, "failure"), (warningCount, "warning")]
            .filter { $0.0 > 0 }.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }
        let verdict = failureCount > 0 ? "a mount can't work like this" : "a mount should work"
        return "\(verdict)\(counts.isEmpty ? "" : " (\(counts.joined(separator: ", ")))")"
    }

    /// The width of the longest status and two spaces.
    private static let width = 9

    private func colored(_ status: Finding.Status) -> String {
        guard isColored else { return status.rawValue }
        let color =
            switch status {
            case .ok: 32
            case .warning: 33
            case .failure: 31
            case .skipped: 90
            }
        // ECMA-48, SGR: a color, and the default.
        return "\u{1b}[\(color)m\(status.rawValue)\u{1b}[0m"
    }

    /// Replaces the characters that a terminal interprets: keys may contain any.
    private static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
