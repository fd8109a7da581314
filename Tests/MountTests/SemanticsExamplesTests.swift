import Foundation
import ObjectStore
import Testing
import TestSupport

/// Runs the examples of docs/SEMANTICS.md.
@Suite struct SemanticsExamplesTests {
    @Test(
        "Every example of docs/SEMANTICS.md prints what the page says", mounts,
        arguments: try SemanticsPage.examples())
    func example(_ example: SemanticsExample) throws {
        try withS3TestServer { server in
            for object in example.objects { example.put(object, on: server) }
            try withMount(of: server, options: ["--xattrs"] + example.options) { mountPoint in
                for step in example.steps {
                    switch step {
                    case .onBucket(let words): example.change(server, words)
                    case .command(let command, let expected):
                        let result = try run(
                            "bash", ["-c", "\(command) 2>&1"], environment: ["LC_ALL": "C.UTF-8"], directory: mountPoint
                        )
                        #expect(result.output == expected, "\(example.title): $ \(command)")
                    }
                }
            }
        }
    }
}

/// One example: objects, and commands on them.
struct SemanticsExample: CustomTestStringConvertible, Sendable {
    enum Step {
        /// A command, and what it prints.
        case command(String, String)
        /// A change of the bucket: "put KEY TEXT" or "delete KEY".
        case onBucket([String])
    }

    /// The heading that it stands below.
    let title: String
    /// "KEY", "KEY = TEXT", "! deny PREFIX", or "! ttl TIME".
    let objects: [String]
    var steps: [Step] = []

    var testDescription: String { title }

    /// The options of the mount.
    var options: [String] {
        objects.filter { $0.hasPrefix("! ttl ") }.flatMap { ["--metadata-ttl", String($0.dropFirst(6))] }
    }

    func put(_ line: String, on server: S3TestServer) {
        if line.hasPrefix("! ttl ") { return }
        if line.hasPrefix("! deny ") {
            server.script(.below(Key(String(line.dropFirst(7)))), .refuse(.accessDenied))
        } else {
            let parts = line.components(separatedBy: " = ")
            server.put(Key(parts[0]), .text(parts.count == 2 ? parts[1] : "x"))
        }
    }

    func change(_ server: S3TestServer, _ words: [String]) {
        switch words[0] {
        case "put": server.put(Key(words[1]), .text(words.dropFirst(2).joined(separator: " ")))
        case "delete": server.delete(Key(words[1]))
        default: Issue.record("s3$ \(words[0]): there is only put and delete")
        }
    }
}

/// The page, as far as its examples go.
enum SemanticsPage {
    static func examples() throws -> [SemanticsExample] {
        let text = try String(contentsOfFile: packageRoot + "/docs/SEMANTICS.md", encoding: .utf8)
        var examples: [SemanticsExample] = []
        var title = ""
        var block: (kind: String, lines: [String])?
        for line in text.components(separatedBy: "\n") {
            if let open = block {
                if line == "```" {
                    switch open.kind {
                    case "objects": examples.append(SemanticsExample(title: title, objects: open.lines))
                    case "console": examples[examples.count - 1].steps = steps(open.lines)
                    default: break
                    }
                    block = nil
                } else {
                    block?.lines.append(line)
                }
            } else if line.hasPrefix("```") {
                block = (String(line.dropFirst(3)), [])
            } else if line.hasPrefix("## ") {
                title = String(line.dropFirst(3))
            }
        }
        return examples
    }

    private static func steps(_ lines: [String]) -> [SemanticsExample.Step] {
        var steps: [SemanticsExample.Step] = []
        for line in lines {
            if line.hasPrefix("$ ") {
                steps.append(.command(String(line.dropFirst(2)), ""))
            } else if line.hasPrefix("s3$ ") {
                steps.append(.onBucket(line.dropFirst(4).components(separatedBy: " ")))
            } else if case .command(let command, let output) = steps.last {
                steps[steps.count - 1] = .command(command, output + line + "\n")
            }
        }
        return steps
    }
}
