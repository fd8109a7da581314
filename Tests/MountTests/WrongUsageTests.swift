import ArgumentParser
import Foundation
import Settings
import Testing
import TestSupport

@testable import tractfs

/// Returns the message about a wrong command line.
private func complaint(_ arguments: [String]) -> (text: String, code: ExitCode)? {
    var completed: CompletedArguments?
    do {
        try UnknownCommand.check(arguments, of: Tractfs.self)
        let complete = try CompletedArguments(arguments, environment: [:], systemFile: "/nonexistent")
        completed = complete
        _ = try Tractfs.parseAsRoot(complete.arguments)
        return nil
    } catch {
        return (Tractfs.complaint(about: error, completed, arguments), Tractfs.exitCode(for: error))
    }
}

/// Expects a line that says what is wrong, with these words, and the exit status of wrong usage.
private func expectComplaint(
    _ arguments: [String], says words: [String], sourceLocation: SourceLocation = #_sourceLocation
) {
    guard let (text, code) = complaint(arguments) else {
        Issue.record("tractfs \(arguments.joined(separator: " ")) is taken", sourceLocation: sourceLocation)
        return
    }
    for word in words {
        #expect(
            text.contains(word), "tractfs \(arguments.joined(separator: " ")): \(text)", sourceLocation: sourceLocation)
    }
    #expect(code == .validationFailure, sourceLocation: sourceLocation)
    #expect(!text.contains("\n"), sourceLocation: sourceLocation)
    // Two lines of a terminal, and some more for long values.
    #expect(text.count <= 260, "\(text.count) characters: \(text)", sourceLocation: sourceLocation)
}

/// A declared command with its options and operands.
private struct DeclaredCommand: CustomTestStringConvertible {
    let type: any ParsableCommand.Type
    /// "cache list"
    let name: String

    var testDescription: String { "tractfs \(name)" }
    var words: [String] { name.split(separator: " ").map(String.init) }
    var options: [DeclaredOptions.Option] { DeclaredOptions(of: type).options }

    /// The options of a command, of which those of `mount` are taken once: the parser takes a while for each.
    var ownOptions: [DeclaredOptions.Option] {
        if name == "mount" { return options }
        let shared = options.filter { DeclaredOptions.ofMount[$0.name] != nil }
        return options.filter { DeclaredOptions.ofMount[$0.name] == nil } + shared.prefix(1)
    }

    /// All commands without subcommands.
    static let all = of(Tractfs.self, "")

    private static func of(_ type: any ParsableCommand.Type, _ name: String) -> [DeclaredCommand] {
        let subcommands = type.configuration.subcommands
        if subcommands.isEmpty { return [.init(type: type, name: name)] }
        return subcommands.flatMap {
            of($0, (name + " " + ($0.configuration.commandName ?? "")).trimmingCharacters(in: .whitespaces))
        }
    }
}

@Suite struct WrongUsageTests {
    /// The operands of each command: the required ones, and if there may be more.
    private static let operands: [String: (needed: [String], mayBeMore: Bool)] = [
        "mount": (["s3://bucket", "/mnt/x"], false), "unmount": (["/mnt/x"], false), "upgrade": (["/mnt/x"], false),
        "status": ([], false), "report": (["/mnt/x"], false), "refresh": (["/mnt/x"], true), "warm": (["/mnt/x"], true),
        "presign": (["s3://bucket/key"], false), "cache list": ([], false), "cache verify": ([], false),
        "cache clear": ([], false), "doctor": (["s3://bucket"], false), "config show": ([], false),
    ]

    /// Too many operands for commands with optional ones.
    private static let optional = [
        "status": ["/mnt/x"], "cache clear": ["s3://bucket"], "config show": ["s3://bucket", "/mnt/x"],
    ]

    /// An invalid value for each placeholder in the help, and the words about it; empty if the parser accepts any text.
    private static let wrongValues: [String: [(value: String, says: [String])]] = [
        "size": [
            ("12 bananas", ["512MiB"]), ("10GB", ["10GiB?"]), ("10g", ["10GiB?"]), ("1.5 GiB", ["1536MiB?"]),
            ("0", ["512MiB"]),
            ("-1GiB", []), ("10iGB", ["512MiB"]), ("", []),
        ],
        "duration": [
            ("soon", ["a time"]), ("1.5h", ["5400s?"]), ("5min", ["5m?"]), ("2 hours", ["2h?"]), ("1w", ["a time"]),
            ("", []),
        ],
        "mode": [
            ("rw-r--r--", ["0644?"]), ("0o755", ["0755?"]), ("999", ["octal"]), ("7777", ["octal"]), ("", []),
        ],
        "count": [("many", ["number"]), ("0", ["1 to 1024"]), ("6.4", ["number"]), ("", [])],
        "n": [("many", ["number"]), ("0", ["1 to 64"])],
        "uid": [("alice", ["number"]), ("4294967296", ["number"])],
        "gid": [("staff", ["number"]), ("1.0", ["number"])],
        "style": [("virtualhost", ["auto", "path", "virtual"])],
        "bits": [("16", ["32", "64"]), ("many", ["32", "64"]), ("", [])],
        "level": [("loud", ["trace", "critical"])],
        "format": [("yaml", ["text", "json"])],
        "pid": [("self", ["number of a process"]), ("0", ["number of a process"]), ("-1", []), ("4294967296", [])],
        "context": [("a b", ["system_u:"]), ("", [])],
        // The words of MountFailureTests cover values that are checked when they are used.
        "url": [], "region": [], "profile": [], "account": [], "file": [], "folder": [], "glob": [],
    ]

    private static func line(_ command: DeclaredCommand, _ more: [String] = []) -> [String] {
        command.words + (operands[command.name]?.needed ?? []) + more
    }

    @Test("Each command has a row in the tables of wrong usage", arguments: DeclaredCommand.all)
    private func hasRow(command: DeclaredCommand) {
        #expect(Self.operands[command.name] != nil, "add tractfs \(command.name) to operands")
        #expect(complaint(Self.line(command))?.text == nil)
        for option in command.options {
            guard let name = option.valueName else { continue }
            #expect(Self.wrongValues[name] != nil, "--\(option.name) takes a <\(name)>: add wrong ones to wrongValues")
        }
    }

    @Test("A misspelled option is refused with the right one", arguments: DeclaredCommand.all)
    private func misspelt(command: DeclaredCommand) {
        for (index, option) in command.ownOptions.enumerated() {
            // The last two letters swapped, or one too many.
            var letters = Array(option.name)
            letters.swapAt(letters.count - 1, letters.count - 2)
            let wrong = index.isMultiple(of: 2) ? option.name + "x" : String(letters)
            expectComplaint(Self.line(command, ["--" + wrong]), says: ["--\(wrong)", "--\(option.name)", "--help"])
        }
        expectComplaint(Self.line(command, ["--bananas"]), says: ["--bananas", "tractfs \(command.name) --help"])
    }

    @Test("An option without its value is refused by name", arguments: DeclaredCommand.all)
    private func withoutValue(command: DeclaredCommand) {
        for option in command.ownOptions where !option.isFlag {
            expectComplaint(Self.line(command, ["--\(option.name)"]), says: ["--\(option.name)", "--help"])
        }
    }

    @Test("A value for an option that takes none is refused", arguments: DeclaredCommand.all)
    private func withValue(command: DeclaredCommand) {
        for option in command.ownOptions where option.isFlag {
            expectComplaint(Self.line(command, ["--\(option.name)=yes"]), says: ["--\(option.name)"])
        }
    }

    @Test("A value of the wrong form is refused with the right form", arguments: DeclaredCommand.all)
    private func wrongValue(command: DeclaredCommand) {
        var tried: Set<String> = []
        for option in command.ownOptions {
            guard let name = option.valueName, let wrong = Self.wrongValues[name] else { continue }
            // All of them for the first option of this kind, two for the others.
            for (value, words) in tried.insert(name).inserted ? wrong[...] : wrong.prefix(2) {
                expectComplaint(Self.line(command, ["--\(option.name)=\(value)"]), says: ["--\(option.name)"] + words)
            }
        }
    }

    @Test("A missing argument, or one too many, is refused by name", arguments: DeclaredCommand.all)
    private func operandCount(command: DeclaredCommand) throws {
        let (needed, mayBeMore) = try #require(Self.operands[command.name])
        for count in 0..<needed.count {
            expectComplaint(
                command.words + needed.prefix(count), says: ["Missing expected argument", "<", "--help"])
        }
        if !mayBeMore {
            let given = needed + (Self.optional[command.name] ?? [])
            expectComplaint(command.words + given + ["surplus"], says: ["'surplus'", "--help"])
        }
    }

    @Test(
        "A popular wrong name of an option or command is refused with the right one",
        arguments: [
            (["mount", "/mnt/hcp", "s3://b"], ["the bucket comes first", "tractfs mount s3://b /mnt/hcp"]),
            (["umount", "/mnt/hcp"], ["no command umount", "tractfs unmount?"]),
            (["Mount", "s3://b", "/mnt"], ["tractfs mount?"]), (["moutn"], ["tractfs mount?"]),
            (["unmout"], ["tractfs unmount?"]),
            (["stats"], ["tractfs status?"]), (["docter"], ["tractfs doctor?"]),
            (["ls", "/mnt/hcp"], ["no command ls", "use ls itself"]),
            (["cat"], ["use cat itself"]), (["frobnicate"], ["there are mount, unmount", "config"]),
            (["s3://hcp-openaccess/HCP"], ["'<mount-point>'", "tractfs mount --help"]),
            (["s3://b", "--profile", "hcp"], ["'<mount-point>'", "tractfs mount --help"]),
            (["s3://b", "/mnt", "--profil", "hcp"], ["--profile", "tractfs mount --help"]),
            (["s3://b", "/mnt", "-o", "rw,profil=hcp"], ["-o profil=hcp", "profile?"]),
            (["mout", "s3://b", "/mnt"], ["no command mout", "tractfs mount?"]),
            (["mount", "s3://b", "/mnt", "-o", "rw"], ["-o rw", "read-only", "overlay=FOLDER"]),
            (["mount", "s3://b", "/mnt", "--context", "a \"b"], ["--context", "system_u:"]),
            (["help", "umount"], ["tractfs unmount?"]),
            (["cache", "lst"], ["tractfs cache list?"]), (["cache", "rm"], ["tractfs cache clear?"]),
            (["cache", "frobnicate"], ["list, verify, clear"]), (["config", "get"], ["tractfs config show?"]),
            (["config", "set"], ["no command set", "show"]),
            (["mount", "s3://b", "/mnt", "-o", "metadata_tll=1h"], ["metadata_tll=1h", "metadata-ttl?"]),
            (["mount", "s3://b", "/mnt", "-o", "allow_othr"], ["allow_othr", "allow-other?"]),
            (["mount", "s3://b", "/mnt", "-oxattr"], ["-o xattr", "xattrs?"]),
            (["mount", "s3://b", "/mnt", "-o", "cache_size=10GB"], ["--cache-size", "10GiB?"]),
            (["mount", "s3://b", "/mnt", "-o", "bananas"], ["-o bananas", "--help"]),
            (["mount", "s3://b", "/mnt", "-p", "hcp"], ["-p"]),
            (["mount", "s3://b", "/mnt", "-profile", "hcp"], ["--profile"]),
            (["mount", "s3://b", "/mnt", "--metadata-ttl", "never"], ["forever?"]),
            (["mount", "s3://b", "/mnt", "--metadata-ttl", "60"], ["60s?"]),
            (["presign", "s3://b/k", "--expires-in", "2 days"], ["2d?"]),
            (["presign", "s3://b/k", "--expires-in", "8d"], ["7d"]),
            (["cache", "list", "--cach-dir", "/x"], ["--cache-dir", "tractfs cache list --help"]),
            (["mount", ""], ["Missing"]),
            (["", ""], ["no command"]),
        ] as [([String], [String])])
    func likely(arguments: [String], words: [String]) {
        expectComplaint(arguments, says: words)
    }

    @Test(
        "A bucket in another notation is refused with the notation of this program",
        arguments: [
            ("hcp-openaccess/HCP_1200", "s3://hcp-openaccess/HCP_1200?"), ("hcp-openaccess", "s3://hcp-openaccess?"),
            ("s3:/hcp-openaccess/HCP", "s3://hcp-openaccess/HCP?"), ("s3:hcp-openaccess", "s3://hcp-openaccess?"),
            ("S3://hcp-openaccess/HCP/", "s3://hcp-openaccess/HCP/?"),
            ("s3a://hcp-openaccess/x", "s3://hcp-openaccess/x?"),
            ("https://hcp-openaccess.s3.amazonaws.com/HCP/1", "s3://hcp-openaccess/HCP/1?"),
            ("https://hcp-openaccess.s3.us-east-1.amazonaws.com/", "s3://hcp-openaccess?"),
            ("https://s3.amazonaws.com/hcp-openaccess/HCP", "s3://hcp-openaccess/HCP?"),
            ("https://s3-eu-west-1.amazonaws.com/a-bucket", "s3://a-bucket?"),
            (
                "https://us-east-1.console.aws.amazon.com/s3/buckets/hcp-openaccess?region=us-east-1",
                "s3://hcp-openaccess?"
            ),
            ("arn:aws:s3:::hcp-openaccess/HCP", "s3://hcp-openaccess/HCP?"),
            ("https://minio.example.org/b", "--endpoint-url"),
            ("/mnt/hcp", "s3://BUCKET[/PREFIX]"), ("ftp://x/y", "s3://BUCKET[/PREFIX]"), ("", "s3://BUCKET[/PREFIX]"),
            ("https://b-b.s3.amazonaws.com/k?X-Amz-Signature=0badc0de", "s3://b-b/k?"),
        ])
    func buckets(written: String, meant: String) throws {
        for command in [
            ["mount", written, "/nonexistent"], ["doctor", written], ["config", "show", written],
            ["cache", "clear", written],
        ] + (written.contains(":") ? [[written, "/nonexistent"]] : []) {
            let result = try run(tractfsExecutable(), command, environment: environmentWithKeys)
            #expect(
                (result.errorOutput + result.output).contains(meant),
                "\(command): \(result.errorOutput)\(result.output)")
            #expect(result.status != 0)
            #expect(!(result.errorOutput + result.output).contains("0badc0de"))
            if command[0] == "mount" {
                #expect(result.errorOutput.split(separator: "\n").count == 1 && result.output == "")
            }
        }
    }

    @Test(
        "A bucket in place of a mount is refused with that reason",
        arguments: ["unmount", "upgrade", "status", "report", "refresh", "warm"])
    func bucketForMount(command: String) throws {
        let result = try run(tractfsExecutable(), [command, "s3://bucket/x"])
        #expect(result.status == 1)
        #expect(result.errorOutput.contains("s3://bucket/x is no path; give that of its mount"))
    }

    @Test func `A message about wrong usage goes to standard error, with the exit status of usage`() throws {
        for arguments in [
            ["umount", "/mnt"], ["mount", "/mnt/hcp", "s3://b"], ["mount", "s3://b", "/mnt", "--metadata-tll", "1h"],
        ] {
            let result = try run(tractfsExecutable(), arguments, environment: environmentWithKeys)
            #expect(result.status == 64)
            #expect(result.output == "")
            #expect(result.errorOutput.hasPrefix("tractfs: ") && result.errorOutput.split(separator: "\n").count == 1)
        }
    }
}
