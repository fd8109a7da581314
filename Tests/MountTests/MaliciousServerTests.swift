import Foundation
import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// A server that wants to exhaust its readers, to control their terminals, or to reach their files.
@Suite(.serialized, mounts) struct MaliciousServerTests {
    /// The most additional memory of a mount for all data of such a server. One attack after the other sends gigabytes.
    private static let memoryByteLimit = 48 << 20

    /// A mount of a server with one file, all of whose files and folders lie below `directory`.
    private func withVictim(
        options: [String] = [], _ body: (S3TestServer, _ mountPoint: String, _ directory: String) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            for name in ["home", "tmp"] {
                try FileManager.default.createDirectory(
                    atPath: "\(directory)/\(name)", withIntermediateDirectories: false)
            }
            let places = ["HOME": directory + "/home", "TMPDIR": directory + "/tmp"]
            try withS3TestServer { server in
                server.put("file", .pattern(seed: 1, byteCount: 3 << 20))
                let all =
                    ["--endpoint-url", server.endpointURL, "--read-timeout", "1s", "--metadata-ttl", "0s"]
                    + ["--cache-dir", directory + "/cache", "--log-file", directory + "/log", "--log-level", "trace"]
                    + options
                try withMount(
                    uri: "s3://\(server.bucket)", options: all,
                    environment: environmentWithKeys.merging(places) { $1 }
                ) { try body(server, $0, directory) }
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(Set(left) == ["cache", "log", "home", "tmp"])
            for name in ["home", "tmp"] {
                #expect(try FileManager.default.contentsOfDirectory(atPath: "\(directory)/\(name)") == [])
            }
            expectPrintable(FileManager.default.contents(atPath: directory + "/log") ?? Data(), "the log")
        }
    }

    /// Lists the root, and reads the file if it is there. Errors are ignored.
    private func useOnce(_ mountPoint: String) {
        _ = try? run("ls", ["-U", mountPoint])
        _ = try? withOpenFile(mountPoint + "/file") { try $0.bytes(in: 0..<4_096) }
    }

    @Test func `A server that sends without end costs bounded memory, and the mount works afterwards`() throws {
        try withVictim { server, mountPoint, _ in
            useOnce(mountPoint)
            let process = try #require(MountProcesses(of: mountPoint)).server
            let before = try peakByteCount(of: process)
            for attack in Attack.allCases {
                server.script(.any, .attack(attack))
                useOnce(mountPoint)
                server.clearScripts()
                let growth = try peakByteCount(of: process) - before
                print(
                    "\(attack): \(growth >> 20) MiB more, \(server.log.reduce(0) { $0 + $1.sentByteCount } >> 20) MiB sent"
                )
                #expect(growth < Self.memoryByteLimit, "\(attack)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: mountPoint) == ["file"])
        }
    }

    @Test func `XML that grows, refers outside or nests without end costs bounded memory`() throws {
        try withVictim { server, mountPoint, _ in
            useOnce(mountPoint)
            let process = try #require(MountProcesses(of: mountPoint)).server
            let before = try peakByteCount(of: process)
            // The client does not read far enough into an error document to tell them apart.
            for (status, document) in Malice.documents.map({ (200, $0) }) + [(403, Malice.documents[0])] {
                server.script(.any, .refuse(.document(status: status, headers: [:], document.text)))
                // Foundation reports an unreadable folder as an empty one.
                let listing = try run("ls", ["-U", mountPoint])
                #expect(listing.status != 0 && listing.output == "", "\(document.name)")
                useOnce(mountPoint)
                server.clearScripts()
                let growth = try peakByteCount(of: process) - before
                #expect(growth < Self.memoryByteLimit, "\(document.name)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: mountPoint) == ["file"])
            #expect(server.log.allSatisfy { [.list, .get].contains($0.request.kind) })
        }
    }

    @Test func `Control characters in headers and errors of a server reach no log and no message`() throws {
        try withVictim { server, mountPoint, directory in
            // The fuzzers' corpus `store-error` covers other texts.
            for status in [200, 301, 403, 503] {
                // A 503 is retried for a second, whatever its body is.
                let isRetried = status == 503
                let bodies = [Malice.errorDocument, "<html>\(Malice.text)</html>", Malice.text]
                for body in isRetried ? [bodies[0]] : bodies {
                    server.script(.any, .refuse(.document(status: status, headers: Malice.headers, body)))
                    useOnce(mountPoint)
                    if !isRetried, body == bodies[0] {
                        let result = try run(
                            tractfsExecutable(),
                            ["mount", "s3://\(server.bucket)/", directory + "/home", "--no-cache"]
                                + ["--endpoint-url", server.endpointURL], environment: environmentWithKeys)
                        #expect(result.status != 0, "\(status)")
                        expectPrintable(
                            Data((result.output + result.errorOutput).utf8), "a mount's message at \(status)")
                    }
                    server.clearScripts()
                }
            }
        }
    }

    @Test func `Hostile keys become legal names, and write nothing outside of the cache`()
        throws
    {
        try withVictim(options: ["--xattrs"]) { server, mountPoint, directory in
            for key in Malice.keys { server.put(key, .text("evil")) }
            server.script(.lists, .damage(.header("x-amz-request-id", Malice.text)))
            let found = try run("find", [mountPoint, "-mindepth", "1", "-printf", "%y %f\\0"])
            #expect(found.status == 0)
            let names = found.output.split(separator: "\0").map { $0.dropFirst(2) }
            #expect(names.contains("plain") && names.contains("file"))
            #expect(names.allSatisfy { !$0.contains("/") && $0 != "." && $0 != ".." && !$0.isEmpty })
            _ = try run("grep", ["-r", "evil", mountPoint])
            let cache = ["--cache-dir", directory + "/cache"]
            let commands = [
                ["warm", mountPoint], ["refresh", mountPoint], ["cache", "list"] + cache,
                ["cache", "list", "--json"] + cache, ["cache", "verify"] + cache,
                ["cache", "clear", "s3://\(server.bucket)/a"] + cache,
            ]
            for command in commands {
                let result = try run(tractfsExecutable(), command, environment: environmentWithoutKeys)
                expectPrintable(Data((result.output + result.errorOutput).utf8), command.joined(separator: " "))
            }
        }
    }
}
