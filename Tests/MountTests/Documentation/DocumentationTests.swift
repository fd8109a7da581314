import Foundation
import TestSupport
import Testing

/// Runs the commands of README and docs/, each page on a machine of its own, in the order in which they stand there.
///
/// docs/CONTRIBUTING.md says how a block is marked that can't be run, or needs something first.
@Suite struct DocumentationTests {
    /// The accepted reasons for a block that is not run. A new reason must be added here, so that a reviewer sees it.
    private static let reasons = [
        "needs AWS", "needs a container engine", "needs systemd", "needs a cluster", "builds for minutes",
        "takes minutes",
        "not installed here", "an outline", "needs a package of ours",
    ]

    @Test(
        "The commands of a page of the documentation work as they stand there", mounts,
        .enabled(if: geteuid() == 0, "needs root, to make a machine of its own"),
        arguments: try DocumentedPage.withCommands())
    func page(_ page: DocumentedPage) throws {
        try DocumentationMachine.with(hasProfile: !page.makesProfile) { machine in
            for block in page.blocks where block.reasonNotToRun == nil {
                // What follows may need it.
                guard try DocumentedRun(block, on: machine).succeeds() else { return }
            }
        }
    }

    @Test(
        "Each block of a page of the documentation is run, or has a reason why not", arguments: try DocumentedPage.all()
    )
    func marks(of page: DocumentedPage) {
        for block in page.blocks {
            for case .unknown(let text) in block.marks {
                Issue.record(
                    "\(block): <!-- \(text) --> is no mark of a block; see \"Adding documentation\" in docs/CONTRIBUTING.md"
                )
            }
            if let reason = block.reasonNotToRun {
                #expect(
                    Self.reasons.contains { reason.hasPrefix($0) },
                    "\(block): \"not run: \(reason)\" begins with none of the known reasons; use one of these, or add yours in \(#fileID)"
                )
            } else if !(page.ownLanguages ?? DocumentedRun.languages).contains(block.language) {
                Issue.record(
                    """
                    \(block): there is no way to run a block of ```\(block.language). Write ``` alone for shell commands (with "$ " in \
                    front of them where their output is shown), ```text for what is no command, one of \
                    \(DocumentedRun.languages), or put a line in front of it: <!-- not run: REASON -->, with one of \(Self.reasons)
                    """)
            }
        }
    }

    @Test("Each link of a page of the documentation leads somewhere", arguments: try DocumentedPage.all().map(\.name))
    func links(of page: String) throws {
        let folder = URL(fileURLWithPath: packageRoot + "/" + page).deletingLastPathComponent().path
        for link in try Self.text(of: packageRoot + "/" + page).matches(of: /\]\(([^)\s]+)\)/).map(\.output.1)
        where !link.contains("://") {
            let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let target = parts[0].isEmpty ? packageRoot + "/" + page : folder + "/" + parts[0]
            #expect(FileManager.default.fileExists(atPath: target), "\(page): \(link)")
            guard let anchor = parts.dropFirst().first, target.hasSuffix(".md") else { continue }
            #expect(try Self.anchors(of: Self.text(of: target)).contains(anchor), "\(page): \(link)")
        }
    }

    private static func text(of path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    /// Returns the anchors of the headings, as GitHub makes them.
    private static func anchors(of text: String) -> [String] {
        text.matches(of: /(?m)^#+ (.+)$/).map { heading in
            String(
                heading.output.1.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
                    .map { $0 == " " ? "-" : $0 })
        }
    }

    @Test func `Most blocks of the documentation are run`() throws {
        let blocks = try DocumentedPage.all().flatMap(\.blocks)
        let runCount = blocks.count { $0.reasonNotToRun == nil }
        #expect(runCount * 4 >= blocks.count * 3, "\(runCount) of \(blocks.count)")
    }
}

/// The run of one block.
struct DocumentedRun {
    /// The languages of blocks, which are the text behind their "```".
    static let languages = ["", "python", "toml", "ini", "fstab", "crontab", "json", "text"]

    /// Replacements for commands that would not end, or would wait for input.
    private static let substitutions = [
        // A live screen.
        "tractfs status --watch":
            "(timeout --signal=INT 2 script -qec 'tractfs status --watch' /dev/null || [ $? = 124 ])"
    ]

    private let block: DocumentedBlock
    private let machine: DocumentationMachine

    init(_ block: DocumentedBlock, on machine: DocumentationMachine) {
        self.block = block
        self.machine = machine
    }

    /// Runs it, and records what is wrong.
    func succeeds() throws -> Bool {
        for case .needs(let need) in block.marks where try !machine.has(need) {
            print("\(block) is not run: there is no \(need) here (scripts/setup --acceptance installs the tools)")
            return true
        }
        for case .runFirst(let command) in block.marks {
            guard try succeeds(script: "set -e -o pipefail\n" + command + "\n") != nil else { return false }
        }
        switch block.language {
        case "": return try shell()
        case "python": return try succeeds(script: text, program: "python3") != nil
        case "ini":
            try machine.writeProfile(block.lines)
            return true
        case "toml":
            try machine.write(text, to: "~/.config/tractfs/config.toml")
            return try succeeds(script: "tractfs config show\n") != nil
        case "fstab": return try block.lines.allSatisfy(mounts)
        case "crontab":
            // Five fields of time, and whose it is.
            return try block.lines.allSatisfy { line in
                try succeeds(script: line.split(separator: " ", maxSplits: 6).last.map(String.init) ?? "") != nil
            }
        case "json": return isJSON()
        default: return isNoCommand()
        }
    }

    private var text: String { block.lines.joined(separator: "\n") + "\n" }

    private func shell() throws -> Bool {
        let lines = block.lines.map { line in Self.substitutions.reduce(line) { $0.replacing($1.key, with: $1.value) } }
        let commands = DocumentedCommands(lines)
        guard let printed = try succeeds(script: commands.script) else { return false }
        guard block.showsItsOutput else { return true }
        for line in commands.missing(in: machine.asShown(printed)) {
            Issue.record("\(block) shows a line that isn't printed: \(line)\n(this is:\n\(printed))")
        }
        return true
    }

    /// Returns the output of a script, or `nil` if it fails.
    private func succeeds(script: String, program: String = "bash") throws -> String? {
        let result = try machine.run(script: script, program: program)
        if result.status == 0 { return result.output }
        Issue.record(
            """
            \(block) fails with status \(result.status):
            \(result.output)\(result.errorOutput)
            (correct it, have something run first, <!-- run first: COMMAND -->, or say why it can't be run: <!-- not run: REASON -->)
            """)
        return nil
    }

    /// Mounts by a line of /etc/fstab, looks, and unmounts.
    private func mounts(_ line: String) throws -> Bool {
        guard let folder = line.split(separator: " ").dropFirst().first else { return true }
        try machine.write(line, to: "/etc/fstab")
        let script = """
            set -e
            mkdir -p \(folder)
            if mountpoint -q \(folder); then umount -l \(folder); fi
            mount \(folder)
            [ -n "$(ls \(folder))" ]
            umount \(folder)
            """
        return try succeeds(script: script) != nil
    }

    private func isJSON() -> Bool {
        for line in block.lines {
            #expect(throws: Never.self, "\(block)") { try JSONSerialization.jsonObject(with: Data(line.utf8)) }
        }
        return true
    }

    private func isNoCommand() -> Bool {
        let commands = block.lines.filter { $0.hasPrefix("$ ") || $0.hasPrefix("tractfs ") || $0.hasPrefix("sudo ") }
        #expect(commands.isEmpty, "\(block) is marked as text, and has commands in it")
        return true
    }
}
