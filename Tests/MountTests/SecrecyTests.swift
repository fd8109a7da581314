import Foundation
import ObjectStore
import TestSupport
import Testing

/// All output of a mount, and of a mount that fails, with a server and services that repeat requests and break off in
/// the middle of secrets.
@Suite(mounts) struct SecrecyTests {
    /// A key for SSE-C: 32 bytes in Base64.
    private static let customerKey = "hushhushhushhushhushhushhushhushhushhushhus="

    @Test(arguments: CredentialsKind.allCases)
    func `A mount and its failures write nothing of the credentials anywhere`(kind: CredentialsKind) throws {
        try withCredentialsHome { home in
            try withTemporaryDirectory { directory in
                try withS3TestServer { server in
                    let observed = try observe(kind, home, server, directory)
                    let signatures = server.log.compactMap {
                        $0.request.headers["authorization"].map { String($0.suffix(64)) }
                    }
                    #expect(!signatures.isEmpty)
                    for (name, bytes) in observed + (try files(below: directory)) {
                        for secret in ["hush", "Credential=", "Signature=", kind.accessKeyID] + signatures {
                            #expect(!bytes.contains(secret), "\(secret) in \(name): \(bytes)")
                        }
                    }
                }
            }
        }
    }

    /// Mounts, reads, makes everything fail, reads again, and then fails to mount.
    ///
    /// - Returns: All output outside of `directory`, by its kind.
    private func observe(
        _ kind: CredentialsKind, _ home: CredentialsHome, _ server: S3TestServer, _ directory: String
    ) throws -> [(String, String)] {
        server.require(accessKeyID: kind.accessKeyID)
        for index in 0..<4 { server.put(Key("d\(index)/f"), .text("content")) }
        let keyFile = home.path + "/customer-key"
        try Self.customerKey.write(toFile: keyFile, atomically: false, encoding: .utf8)
        chmod(keyFile, 0o600)
        let options =
            [
                "--endpoint-url", server.endpointURL, "--log-level", "trace", "--sse-c-key-file", keyFile, "--xattrs",
            ] + kind.options + (kind.isLoggedAsJSON ? ["--log-format", "json"] : [])
        var observed: [(String, String)] = []
        try withMount(
            uri: "s3://\(server.bucket)",
            options: options + ["--cache-dir", directory + "/cache", "--log-file", directory + "/log"],
            environment: home.environment(for: kind)
        ) { mountPoint in
            try #expect(runChecked("cat", [mountPoint + "/d0/f"]) == "content")
            for id in processes(withArgument: mountPoint) {
                let commandLine = FileManager.default.contents(atPath: "/proc/\(id)/cmdline") ?? Data()
                observed.append(("a command line", String(decoding: commandLine, as: UTF8.self)))
            }
            server.script(.any, .refuse(.repeating(code: "SignatureDoesNotMatch")))
            try home.answer(.repeating)
            observed.append(("an error", try run("cat", [mountPoint + "/d1/f"]).errorOutput))
            try home.answer(.broken)
            letPass(.milliseconds(1_100), of: "CredentialsState.checkInterval")
            observed.append(("an error", try run("cat", [mountPoint + "/d2/f"]).errorOutput))
            for form in [["-o", "-"], ["--json"]] {
                let report = try runChecked(tractfsExecutable(), ["report", mountPoint] + form)
                #expect(report.contains("d0/"))
                observed.append(("a report", report))
            }
            let attributes = try run("getfattr", ["-d", "-m", "-", mountPoint + "/d0/f"])
            observed.append(("extended attributes", attributes.output + attributes.errorOutput))
        }
        #expect(observed.count > 3)
        for (_, error) in observed where error.hasPrefix("cat") { #expect(error.contains("Permission denied")) }
        for mode in [CredentialsHome.Mode.repeating, .broken] {
            try home.answer(mode)
            let result = try run(
                tractfsExecutable(),
                ["mount", "s3://\(server.bucket)", directory] + options + ["--no-cache", "--foreground"],
                environment: home.environment(for: kind))
            // Faulty settings are reported before there is a log.
            let isTold = ["tractfs: ", #""level": "error""#].contains { result.errorOutput.contains($0) }
            #expect(result.status > 0 && isTold, "\(mode): \(result.errorOutput)")
            observed.append(("the mount command in mode \(mode)", result.output + result.errorOutput))
        }
        return observed
    }

    /// The contents of all files, by their paths.
    private func files(below directory: String) throws -> [(String, String)] {
        let paths = try #require(FileManager.default.subpaths(atPath: directory))
        let contents = paths.compactMap { path in
            FileManager.default.contents(atPath: "\(directory)/\(path)").map {
                (path, String(decoding: $0, as: UTF8.self))
            }
        }
        #expect(contents.contains { $0.0 == "log" && $0.1.contains("no remount is needed") })
        #expect(contents.contains { $0.0.hasPrefix("cache/") })
        return contents
    }
}

extension CredentialsKind {
    /// `true` for every other kind, so that both formats of the log are tested.
    fileprivate var isLoggedAsJSON: Bool { Self.allCases.firstIndex(of: self).map { $0.isMultiple(of: 2) } ?? false }
}
