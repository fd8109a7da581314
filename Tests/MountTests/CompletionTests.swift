import ArgumentParser
import Foundation
import ObjectStore
import Settings
import Testing
import TestSupport

@testable import tractfs

@Suite struct CompletionTests {
    private static let places = [
        "bash": "usr/share/bash-completion/completions/tractfs", "zsh": "usr/share/zsh/vendor-completions/_tractfs",
        "fish": "usr/share/fish/vendor_completions.d/tractfs.fish",
    ]

    /// Lines before and after Tab.
    private static let lines = [
        ("unm", "unmount"), ("cache cl", "cache clear"), ("mount --expected", "mount --expected-bucket-owner"),
        ("mount s3://hcp/HCP_1200 FOLDER/da", "mount s3://hcp/HCP_1200 FOLDER/data"),
        ("mount --profile h", "mount --profile hcp"),
        ("mount s3://hcp /x --profile h", "mount s3://hcp /x --profile hcp"),
        ("mount --log-level deb", "mount --log-level debug"),
        ("mount s3://hcp /x --log-format j", "mount s3://hcp /x --log-format json"),
        ("cache list --cache-dir FOLDER/da", "cache list --cache-dir FOLDER/data"),
        ("config show --config FOLDER/con", "config show --config FOLDER/config"),
        ("config show s3://hcp FOLDER/da", "config show s3://hcp FOLDER/data"),
        ("refresh FOLDER/da", "refresh FOLDER/data"),
    ]

    @Test("Completion in a shell offers the commands, options and values that fit", arguments: ["bash", "zsh", "fish"])
    func completion(shell: String) throws {
        try withShell(shell) { folder, complete in
            let lines = Self.lines.map { line in
                (line.0.replacing("FOLDER", with: folder), line.1.replacing("FOLDER", with: folder))
            }
            let completed = try complete(lines.map { "tractfs \($0.0)" })
            #expect(completed == lines.map { "tractfs \($0.1)".split(separator: " ").map(String.init) })
        }
    }

    @Test func `Completion in bash offers the values of an option behind "=" too`() throws {
        try withShell("bash") { _, complete in
            let completed = try complete(["tractfs mount --profile=h", "tractfs mount --log-level=deb"]).map(\.last)
            #expect(completed == ["--profile=hcp", "--log-level=debug"])
        }
    }

    @Test(
        "A name that completion inserts means itself, whatever characters it has", arguments: ["bash", "zsh", "fish"])
    func strangeNames(shell: String) throws {
        try withShell(shell) { folder, complete in
            try
                "[profile a$(touch \(folder)/done) b]\n[profile it is]\n[profile `touch \(folder)/done`]\n[profile x:y]\n"
                .write(toFile: folder + "/config", atomically: true, encoding: .utf8)
            let completed = try complete(["a", "i", "x"].map { "tractfs mount --profile \($0)" }).map(\.last)
            #expect(!FileManager.default.fileExists(atPath: folder + "/done"))
            // bash wouldn't quote it in the line, and so isn't told of it.
            #expect(completed[0] == (shell == "bash" ? "a" : "a$(touch \(folder)/done) b"))
            #expect(completed[1...] == ["it is", "x:y"])
        }
    }

    @Test("Completion of tractfs unmount offers the mounts", mounts)
    func mountPoints() throws {
        try withS3TestServer { server in
            server.put("file", .text("text"))
            let options = ["--endpoint-url", server.endpointURL]
            try withMount(uri: "s3://\(server.bucket)", options: options, environment: environmentWithKeys) {
                mountPoint throws in
                for shell in ["bash", "zsh", "fish"] {
                    try withShell(shell) { _, complete in
                        let completed = try complete(["tractfs unmount \(mountPoint.dropLast(1))"])
                        #expect(completed == [["tractfs", "unmount", mountPoint]], "\(shell)")
                    }
                }
            }
        }
    }

    @Test(
        "Completion quotes characters that a shell would expand",
        arguments: [
            (CompletionShell.bash, ["'a b'", "'it'\\''s'", "'c:d'"]), (.zsh, ["a b", "$(x)", "it's", "c\\:d"]),
            (.fish, ["a b", "$(x)", "it's", "c:d"]),
        ])
    func quoting(shell: CompletionShell, expected: [String]) {
        let words = OfferedWords(["a b", "$(x)", "it's", "c:d", "two\nlines", "tab\t"])
        #expect(words.escaped(for: shell) == expected)
    }

    /// Calls `body` with a folder, and with a function that presses Tab behind lines in this shell and returns the
    /// words of each line. The folder has data/, and a config file with the profile "hcp".
    private func withShell(
        _ shell: String, _ body: (_ folder: String, _ complete: ([String]) throws -> [[String]]) throws -> Void
    ) throws {
        let package = try MadePackage.made()
        let script = try "\(package.root)/\(#require(Self.places[shell]))"
        try runChecked(shell, ["-n", script])
        try withTemporaryDirectory { folder in
            try runChecked("mkdir", [folder + "/data"])
            try "[profile hcp]\nregion = us-east-1\n".write(
                toFile: folder + "/config", atomically: true, encoding: .utf8)
            let environment = [
                "AWS_CONFIG_FILE": folder + "/config", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "HOME": folder,
                "PATH": "\(package.root)/usr/bin:" + (ProcessInfo.processInfo.environment["PATH"] ?? ""),
            ]
            let driver = packageRoot + "/Tests/MountTests/complete_in_shell.py"
            try body(folder) { lines in
                let output = try runChecked("python3", [driver, shell, script] + lines, environment: environment)
                return try output.split(separator: "\n").map { line in
                    // Some put a slash behind a folder.
                    try JSONDecoder().decode([String].self, from: Data(line.utf8)).map {
                        $0.count > 1 && $0.hasSuffix("/") ? String($0.dropLast()) : $0
                    }
                }
            }
        }
    }
}
