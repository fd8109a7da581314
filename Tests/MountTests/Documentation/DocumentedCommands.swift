import Foundation

/// The commands of a block of shell, with the output that the page shows.
struct DocumentedCommands {
    struct Command {
        /// The lines of the command.
        var lines: [String]
        /// Lines of what it prints, as the page has them.
        var output: [String] = []
    }

    private(set) var commands: [Command] = []

    /// Parses the lines of a block.
    ///
    /// - Parameter lines: Where one begins with "$ ", those that do are typed and the others are printed; else all are
    ///   typed, as one script.
    init(_ lines: [String]) {
        guard lines.contains(where: { $0.hasPrefix("$ ") }) else {
            commands = [.init(lines: lines)]
            return
        }
        for line in lines {
            if line.hasPrefix("$ ") {
                commands.append(.init(lines: [String(line.dropFirst(2))]))
            } else if let last = commands.last?.lines.last, last.hasSuffix("\\"),
                commands[commands.count - 1].output.isEmpty
            {
                commands[commands.count - 1].lines.append(line)
            } else if !commands.isEmpty {
                commands[commands.count - 1].output.append(line)
            }
        }
    }

    /// A line that tells which command's output begins.
    private static func divider(_ index: Int) -> String { "\u{1}\(index)" }

    /// A script of bash that runs all of them, and ends at the first that fails.
    var script: String {
        let parts = commands.enumerated().map { index, command in
            "printf '\\n\\001%s\\n' \(index)\n" + command.lines.joined(separator: "\n")
        }
        return (["set -e -o pipefail", "exec 2>&1"] + parts).joined(separator: "\n") + "\n"
    }

    /// Returns the lines that the page shows and that are like no line of the output of their command.
    ///
    /// - Parameter printed: The output of the script.
    func missing(in printed: String) -> [String] {
        commands.enumerated().flatMap { index, command -> [String] in
            let own = printed.components(separatedBy: "\n" + Self.divider(index) + "\n").last ?? ""
            let lines = own.components(separatedBy: "\n\u{1}")[0].split(separator: "\n").map(String.init)
            return command.output.filter { shown in !lines.contains { ExpectedLine(shown).isLike($0) } }
        }
    }
}

/// A line of output on a page. Numbers, dates and sizes may differ, "…" stands for any text, and the width of columns
/// does not count.
struct ExpectedLine {
    private let pattern: String

    init(_ shown: String) {
        let words = shown.split(separator: " ").map(Self.pattern)
        pattern = words.joined(separator: #"\s+"#)
    }

    private static func pattern(of word: Substring) -> String {
        NSRegularExpression.escapedPattern(for: String(word)).replacing("…", with: ".*")
            // Any number for a number, any unit for a size's.
            .replacing(/[0-9](?:\\?[0-9.,:])*((?:[KMGT]i)?B\b)?/) { match in
                "[0-9][0-9.,:]*" + (match.output.1 == nil ? "" : "(?:[KMGT]i)?B")
            }
            // One of what is shown of many.
            .replacing(/s(,?)$/) { "s?\($0.output.1)" }
    }

    /// Returns `true` if a line of the output has this form.
    func isLike(_ line: String) -> Bool {
        guard let regex = try? Regex(#"\s*"# + pattern + #"\s*"#) else { return false }
        return line.wholeMatch(of: regex) != nil
    }
}
