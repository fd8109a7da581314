import Foundation
import ObjectStore
import TestSupport
import Testing

/// Ways out of a wait for a silent store.
@Suite(.serialized, mounts) struct StalledStoreTests {
    /// A program that waits.
    enum Wait: CaseIterable {
        case stat, readdir, open, read

        var command: [String] {
            switch self {
            case .stat: ["stat", "cold/name"]
            case .readdir: ["ls", "cold"]
            // A small object is fetched at open, if it can become a backing file.
            case .open: ["head", "-c", "1", "known/small"]
            case .read: ["cat", "known/large"]
            }
        }
    }

    /// A bucket with a known folder and an unknown one, which answers no request any more.
    private func withSilentStore(
        readTimeout: String, _ test: (S3TestServer, String) throws -> Void
    ) throws {
        try withS3TestServer { server in
            server.put("known/small", .text("small"))
            server.put("known/large", .pattern(seed: 1, byteCount: 4 << 20))
            server.put("known/cached", .text("cached"))
            server.put("cold/name", .text("x"))
            try withMount(of: server, options: ["--read-timeout", readTimeout, "--metadata-ttl", "1h"]) { mountPoint in
                // Again where a busy machine takes longer than the short read timeout of a test.
                for command in [["ls", "-l", mountPoint + "/known"], ["cat", mountPoint + "/known/cached"]] {
                    try eventually("that \(command) works") {
                        try run(command[0], Array(command.dropFirst())).status == 0
                    }
                }
                try server.refuseConnections()
                try server.acceptConnections()
                server.clearLog()
                server.script(.any, .linger(.stall))
                try test(server, mountPoint)
            }
        }
    }

    @Test(arguments: Wait.allCases, [SIGINT, SIGTERM])
    func `Ctrl-C ends a program that waits for a silent store`(wait: Wait, signal: Int32) throws {
        try withSilentStore(readTimeout: "1h") { server, mountPoint in
            try withTemporaryDirectory { directory in
                let process = try BackgroundProcess(
                    wait.command[0], Array(wait.command.dropFirst()), directory: mountPoint, outputDirectory: directory)
                defer { process.end() }
                try eventually("a request") { !server.log.isEmpty }
                #expect(process.isRunning)
                kill(process.processID, signal)
                try process.waitForEnd(timeout: .seconds(60))
                #expect(process.status == -signal)
                // Listings continue for the next reader, and the kernel does not cancel its readahead.
                if wait == .open { try eventually("the end of its request") { server.connectionCount == 0 } }
            }
        }
    }

    @Test(arguments: Wait.allCases)
    func `A program that waits for a silent store gets an error after --read-timeout, and known files work`(
        wait: Wait
    ) throws {
        try withSilentStore(readTimeout: "2s") { _, mountPoint in
            let result = try run(
                wait.command[0], Array(wait.command.dropFirst()), environment: ["LC_ALL": "C"], directory: mountPoint)
            // For `ls` an unreadable argument is serious trouble.
            #expect(result.status == (wait == .readdir ? 2 : 1))
            #expect(result.errorOutput.contains("timed out"), "\(result)")
            #expect(try runChecked("ls", [mountPoint + "/known"]) == "cached\nlarge\nsmall\n")
            #expect(try runChecked("cat", [mountPoint + "/known/cached"]) == "cached")
        }
    }
}
