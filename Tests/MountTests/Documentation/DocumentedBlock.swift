import Foundation
import TestSupport
import Testing

/// A block of code of a page, between "```" and "```": what a reader may copy.
struct DocumentedBlock: CustomStringConvertible, Sendable {
    /// A mark in front of a block: an HTML comment of one line, which readers do not see.
    enum Mark: Equatable {
        /// The block cannot be run here, for this reason.
        case notRun(String)
        /// A command that must be run before.
        case runFirst(String)
        /// A program, or "python MODULE", that some machines lack.
        case needs(String)
        /// The block shows other output than its commands print here, for this reason.
        case outputNotCompared(String)
        /// Another comment.
        case unknown(String)

        init(_ text: String) {
            let parts = text.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            switch (parts.first, parts.dropFirst().first) {
            case ("not run", let reason?): self = .notRun(reason)
            case ("run first", let command?): self = .runFirst(command)
            case ("needs", let program?): self = .needs(program)
            case ("output not compared", let reason?): self = .outputNotCompared(reason)
            default: self = .unknown(text)
            }
        }
    }

    /// The page, from the package's folder on.
    let page: String
    /// The number of the first line, counted from 1.
    let lineNumber: Int
    /// The text behind the "```"; empty for shell commands.
    let language: String
    let marks: [Mark]
    var lines: [String] = []

    var description: String { "\(page):\(lineNumber)" }

    /// The reason for which the block cannot be run; `nil` if it can.
    var reasonNotToRun: String? {
        for case .notRun(let reason) in marks { return reason }
        return nil
    }

    /// A Boolean value that is `true` if the block shows the output of its commands as they print it here.
    var showsItsOutput: Bool {
        !marks.contains {
            if case .outputNotCompared = $0 { true } else { false }
        }
    }
}

/// A page of the documentation, as far as its blocks go.
struct DocumentedPage: CustomTestStringConvertible, Sendable {
    /// From the package's folder on.
    let name: String
    let blocks: [DocumentedBlock]

    var testDescription: String { name }

    /// A Boolean value that is `true` if readers of the page make a profile with its keys.
    var makesProfile: Bool { blocks.contains { $0.language == "ini" } }

    /// README and all pages of docs/.
    static func all() throws -> [DocumentedPage] {
        let names = try FileManager.default.contentsOfDirectory(atPath: packageRoot + "/docs")
        return try (["README.md"] + names.filter { $0.hasSuffix(".md") }.sorted().map { "docs/" + $0 }).map(Self.init)
    }

    /// The blocks that this suite runs.
    static func withCommands() throws -> [DocumentedPage] {
        try all().filter { page in
            page.ownLanguages == nil && page.blocks.contains { $0.reasonNotToRun == nil }
        }
    }

    /// The languages of the page's blocks if they have a suite of their own (SemanticsExamplesTests).
    var ownLanguages: [String]? { name == "docs/SEMANTICS.md" ? ["objects", "console"] : nil }

    init(_ name: String) throws {
        self.init(name, text: try String(contentsOfFile: packageRoot + "/" + name, encoding: .utf8))
    }

    init(_ name: String, text: String) {
        self.name = name
        var blocks: [DocumentedBlock] = []
        var marks: [DocumentedBlock.Mark] = []
        var open: (block: DocumentedBlock, indentation: Substring)?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let indentation = line.prefix { $0 == " " }
            let content = line.dropFirst(indentation.count)
            if let (block, indentation) = open {
                if content.hasPrefix("```") {
                    blocks.append(block)
                    open = nil
                } else {
                    open?.block.lines.append(
                        String(line.hasPrefix(indentation) ? line.dropFirst(indentation.count) : line))
                }
            } else if content.hasPrefix("```") {
                let language = String(content.dropFirst(3))
                open = (.init(page: name, lineNumber: index + 1, language: language, marks: marks), indentation)
                marks = []
            } else if let comment = content.wholeMatch(of: /<!-- (.*) -->/) {
                marks.append(.init(String(comment.output.1)))
            } else if !content.isEmpty {
                marks = []
            }
        }
        self.blocks = blocks
    }
}
