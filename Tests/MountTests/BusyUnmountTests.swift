import Foundation
import ObjectStore
import TestSupport
import Testing

/// Mounts that end while programs read in them.
@Suite("Ending a busy mount", .serialized, mounts) struct BusyUnmountTests {
    /// Ways to end a mount.
    enum End: CaseIterable, CustomTestStringConvertible {
        case sigterm, sigint, tractfsUnmount, lazyUmount, umount

        var testDescription: String { "\(self)" }

        /// Ends the mount; returns what was said about it.
        func carryOut(_ mountPoint: String) throws -> CommandResult {
            switch self {
            case .sigterm: try signal("-TERM", mountPoint)
            case .sigint: try signal("-INT", mountPoint)
            case .tractfsUnmount: try run(tractfsExecutable(), ["unmount", "--grace", "1s", mountPoint])
            case .lazyUmount: try run("umount", ["-l", mountPoint])
            case .umount: try run("umount", [mountPoint])
            }
        }

        private func signal(_ name: String, _ mountPoint: String) throws -> CommandResult {
            try run("kill", [name] + processes(withArgument: mountPoint).map(String.init))
        }
    }

    private let body = ObjectBody.pattern(seed: 7, byteCount: 64 << 20)

    @Test("readers get their bytes or an error, the process ends, nothing stays mounted", arguments: End.allCases)
    func endWhileReading(end: End) throws {
        try withS3TestServer { server in
            server.put("f", body)
            // The first MiB comes, and then nothing for as long as the test runs.
            server.script(.get("f"), .linger(.stall), skipping: 1)
            try withMount(of: server) { mountPoint in
                try withReader(of: mountPoint + "/f") { reader in
                    let result = try end.carryOut(mountPoint)
                    if end == .umount {
                        #expect(result.status != 0, "umount refuses a busy mount, and nothing happens")
                        #expect(isMounted(mountPoint))
                        reader.end()
                        try runChecked("umount", [mountPoint])
                    } else {
                        #expect(result.status == 0, "\(result.errorOutput)")
                        try eventually("nothing is mounted") { !isMounted(mountPoint) }
                        // A lazy umount lets readers finish: the last of them ends the mount.
                        if end == .lazyUmount { reader.end() }
                        try reader.waitForEnd(timeout: .seconds(20))
                        #expect(reader.status != 0, "what was never sent can't be read")
                    }
                    // Our own mount command names the mount point too, but that has ended long ago.
                    try eventually("the end of the process") { processes(withArgument: mountPoint).isEmpty }
                    #expect(!isMounted(mountPoint))
                }
            }
        }
    }

    @Test func `a mount that lives on for an open file leaves the next one on its path alone`() throws {
        try withS3TestServer { server in
            server.put("f", .text("x"))
            try withMount(of: server) { mountPoint in
                let first = processes(withArgument: mountPoint)
                try withOpenFile(mountPoint + "/f") { _ in
                    try runChecked("umount", ["-l", mountPoint])
                    try runChecked(
                        tractfsExecutable(),
                        ["mount", "s3://\(server.bucket)", mountPoint, "--endpoint-url", server.endpointURL],
                        environment: anyCredentials)
                }
                try eventually("the end of the first process") {
                    processes(withArgument: mountPoint).allSatisfy { !first.contains($0) }
                }
                #expect(isMounted(mountPoint))
                #expect(FileManager.default.fileExists(atPath: mountPoint + "/f"))
            }
        }
    }

    @Test func `tractfs unmount does not wait for a server that has stopped`() throws {
        try withS3TestServer { server in
            try withMount(of: server) { mountPoint in
                let stopped = processes(withArgument: mountPoint)
                stopped.forEach { kill($0, SIGSTOP) }
                defer { stopped.forEach { kill($0, SIGCONT) } }
                try runChecked(tractfsExecutable(), ["unmount", mountPoint], timeout: .seconds(30))
                #expect(!isMounted(mountPoint))
            }
        }
    }

    @Test func `in the foreground, SIGINT ends it with status 0`() throws {
        try withS3TestServer { server in
            server.put("f", .text("x"))
            try withTemporaryDirectory { directory in
                let mountPoint = directory + "/mount"
                try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
                let arguments = ["mount", "s3://\(server.bucket)", mountPoint, "--foreground"]
                let process = try BackgroundProcess(
                    tractfsExecutable(), arguments + ["--endpoint-url", server.endpointURL],
                    environment: anyCredentials, outputDirectory: directory)
                defer { process.end() }
                try eventually("the file is there") { FileManager.default.fileExists(atPath: mountPoint + "/f") }
                kill(process.processID, SIGINT)
                try process.waitForEnd(timeout: .seconds(20))
                #expect(process.status == 0, "\(process.errorOutput)")
                #expect(!isMounted(mountPoint))
            }
        }
    }

    /// Runs `body` while a `cat` of a file waits for bytes.
    private func withReader(of path: String, _ body: (BackgroundProcess) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let reader = try BackgroundProcess("cat", [path], outputDirectory: directory)
            defer { reader.end() }
            try eventually("the reader waits") {
                let size = try FileManager.default.attributesOfItem(atPath: directory + "/stdout")[.size] as? Int
                return (size ?? 0) > 0
            }
            try body(reader)
        }
    }
}
