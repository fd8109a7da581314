import Foundation
import ObjectStore
import SystemSupport
import TestSupport
import Testing

/// `--owner-pid`: a mount that ends with another process.
@Suite(.serialized, mounts) struct OwnerTests {
    /// Mounts with `sleep` as the owner.
    private func withOwnedMount(
        of server: S3TestServer, options: [String] = [],
        _ body: (_ owner: BackgroundProcess, _ mountPoint: String) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let owner = try BackgroundProcess("sleep", ["600"], outputDirectory: directory)
            defer { owner.end() }
            try withMount(of: server, options: ["--owner-pid", "\(owner.processID)"] + options) {
                try body(owner, $0)
            }
        }
    }

    private func expectEnd(of mountPoint: String) throws {
        try eventually("the end of the mount") {
            !isMounted(mountPoint) && processes(withArgument: mountPoint).isEmpty
        }
    }

    @Test func `A mount ends when its owner is killed, even while a file is open`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withOwnedMount(of: server) { owner, mountPoint in
                try withOpenFile(mountPoint + "/file") { _ in
                    kill(owner.processID, SIGKILL)
                    try expectEnd(of: mountPoint)
                }
            }
        }
    }

    @Test func `A mount stays when a child of its owner ends`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withTemporaryDirectory { directory in
                // The owner forks, mounts, and ends when its input does.
                let script = "(exit 0); \"$@\" --owner-pid $$ && (exit 0); echo mounted; exec sleep 600"
                let mountPoint = directory + "/mount"
                try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
                let command = [
                    try tractfsExecutable(), "mount", "s3://\(server.bucket)", mountPoint, "--no-cache",
                    "--endpoint-url", server.endpointURL,
                ]
                let owner = try BackgroundProcess(
                    "sh", ["-c", script, "sh"] + command, environment: environmentWithKeys, outputDirectory: directory)
                defer { owner.end() }
                try eventually("a mount") { owner.output == "mounted\n" || !owner.isRunning }
                #expect(try runChecked("cat", [mountPoint + "/file"]) == "read me", "\(owner.errorOutput)")
                kill(owner.processID, SIGTERM)
                try expectEnd(of: mountPoint)
            }
        }
    }

    @Test(takeoverAvailable) func `A mount ends with its owner after a takeover and an upgrade too`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withOwnedMount(of: server) { owner, mountPoint in
                let first = try #require(MountProcesses(of: mountPoint))
                kill(first.server, SIGKILL)
                try eventually("a takeover") {
                    MountProcesses(of: mountPoint).map { $0.server != first.server } ?? false
                }
                #expect(try runChecked("cat", [mountPoint + "/file"]) == "read me")
                try runChecked(tractfsExecutable(), ["upgrade", mountPoint])
                #expect(try runChecked("cat", [mountPoint + "/file"]) == "read me")
                kill(owner.processID, SIGKILL)
                try expectEnd(of: mountPoint)
            }
        }
    }

    @Test func `A mount whose owner has ended, or is younger than the command, fails with the reason`() throws {
        try withS3TestServer { server in
            try withTemporaryDirectory { directory in
                // `sleep` never waits for its child, which stays a zombie.
                let parent = try BackgroundProcess(
                    "sh", ["-c", "sh -c 'echo $$' & exec sleep 600"], outputDirectory: directory)
                defer { parent.end() }
                try eventually("a zombie") {
                    Int32(parent.output.dropLast()).flatMap { ProcessStat(of: $0) }?.hasEnded == true
                }
                let zombie = parent.output.dropLast()
                let mount = [
                    try tractfsExecutable(), "mount", "s3://\(server.bucket)", directory, "--endpoint-url",
                    server.endpointURL,
                ]
                // The second number is above the largest one of Linux.
                for owner in ["\(zombie)", "4194305"] {
                    let result = try run(
                        mount[0], Array(mount.dropFirst()) + ["--owner-pid", owner], environment: environmentWithKeys)
                    #expect(result.status == 1 && result.errorOutput.contains("there is no such process"))
                }
                // The shell becomes tractfs, and the owner is younger by a tick of the clock at least.
                let number = directory + "/number"
                try runChecked("mkfifo", [number])
                let late = try BackgroundProcess(
                    "sh", ["-c", "read owner < \"$0\"; exec \"$@\" --owner-pid $owner", number] + mount,
                    environment: environmentWithKeys, outputDirectory: directory)
                defer { late.end() }
                let start = try #require(ProcessStat(of: late.processID)?.startTime)
                try withTemporaryDirectory { directory in
                    var owner = try BackgroundProcess("sleep", ["600"], outputDirectory: directory)
                    while try #require(ProcessStat(of: owner.processID)?.startTime) <= start {
                        owner.end()
                        owner = try BackgroundProcess("sleep", ["600"], outputDirectory: directory)
                    }
                    defer { owner.end() }
                    try "\(owner.processID)\n".write(toFile: number, atomically: false, encoding: .utf8)
                    try late.waitForEnd(timeout: .seconds(30))
                }
                #expect(late.status == 1 && late.errorOutput.contains("another one has its number now"))
            }
        }
    }
}
