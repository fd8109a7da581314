import Foundation
import ObjectStore
import TestSupport
import Testing

@testable import Supervision

@Suite(.serialized, takeoverAvailable) struct SupervisionTests {
    @Test func `A supervisor gives up a mount whose servers crash in a row, and leaves nothing mounted`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withKilledMount(of: server) { mount in
                for _ in 1..<RestartPolicy.crashLimit { try mount.killServer(SIGSEGV) }
                kill(try mount.runningServer(), SIGSEGV)
                try eventually("the end of both processes") { processes(withArgument: mount.point).isEmpty }
                #expect(!isMounted(mount.point))
                #expect(mount.text.contains("servers in a row crashed soon after their start"))
            }
        }
    }

    @Test func `A supervisor gives up a mount whose next servers cannot start, and no reader hangs`() throws {
        try withS3TestServer { server in
            server.put("file", .pattern(seed: 1, byteCount: 8 << 20))
            try withTemporaryDirectory { directory in
                let cache = directory + "/cache"
                try withKilledMount(of: server, options: ["--cache-dir", cache]) { mount in
                    let reader = try BackgroundProcess(
                        "sh", ["-c", "while cat $0/file; do :; done > /dev/null", mount.point],
                        outputDirectory: directory)
                    defer { reader.end() }
                    try eventually("a GET") { !server.requests(.get).isEmpty }
                    // A requested cache folder that cannot be opened any more.
                    try runChecked("mv", [cache, cache + ".away"])
                    try "".write(toFile: cache, atomically: true, encoding: .utf8)
                    kill(try mount.runningServer(), SIGKILL)
                    try eventually("the end of both processes") { processes(withArgument: mount.point).isEmpty }
                    #expect(!isMounted(mount.point))
                    #expect(mount.text.contains("servers in a row could not take over"))
                    try reader.waitForEnd(timeout: .seconds(30))
                }
            }
        }
    }

    @Test func `A supervisor ends a server that hangs, and another takes over`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withWatchdog(seconds: 2, of: server) { mount in
                // The server answers nothing for as long as the store does not, which is longer than the watchdog
                // waits.
                server.script(.gets, .linger(.stall))
                let hanging = try mount.runningServer()
                try withTemporaryDirectory { directory in
                    let reader = try BackgroundProcess("cat", [mount.point + "/file"], outputDirectory: directory)
                    defer { reader.end() }
                    try eventually("a takeover") { mount.takeoverCount > 0 }
                    server.clearScripts()
                    try reader.waitForEnd(timeout: .seconds(60))
                    #expect(reader.output == "read me", "\(reader.errorOutput)\(mount.text)")
                }
                #expect(mount.text.contains("process \(hanging) hangs: it answers no request"))
                #expect(mount.text.contains("signal \(SIGABRT)"))
            }
        }
    }

    @Test func `A supervisor does not touch a server that is idle`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            let hangTimeout = 0.5
            try withWatchdog(seconds: hangTimeout, of: server) { mount in
                let before = try mount.runningServer()
                letPass(.seconds(hangTimeout * 4), of: "four times hangTimeoutVariable")
                #expect(try runChecked("cat", [mount.point + "/file"]) == "read me")
                #expect(try mount.runningServer() == before)
            }
        }
    }

    @Test func `A supervisor does not touch a server whose store sends slowly`() throws {
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: 256 << 10)
            server.put("file", body)
            try withWatchdog(seconds: 2, of: server) { mount in
                let before = try mount.runningServer()
                // The kernel requests all of it at once, or half.
                server.setBandwidth(overall: 40_000)
                try withTemporaryDirectory { directory in
                    let copy = directory + "/copy"
                    try Data(body.allBytes).write(to: URL(fileURLWithPath: copy))
                    try runChecked("cmp", [mount.point + "/file", copy])
                }
                #expect(try mount.runningServer() == before, "\(mount.text)")
            }
        }
    }

    @Test func `A supervisor hands on SIGHUP in the middle of a takeover, and the mount works`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withKilledMount(of: server) { mount in
                let supervisor = try #require(MountProcesses(of: mount.point)).supervisor
                for _ in 0..<3 {
                    let count = mount.takeoverCount
                    kill(try mount.runningServer(), SIGKILL)
                    try eventually("a takeover; the log says: \(mount.text)") {
                        kill(supervisor, SIGHUP)
                        return mount.takeoverCount > count
                    }
                }
                #expect(try runChecked("cat", [mount.point + "/file"]) == "read me")
            }
        }
    }

    @Test func `A server whose supervisor is killed serves on, and ends in order`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withKilledMount(of: server) { mount in
                let processes = try #require(MountProcesses(of: mount.point))
                kill(processes.supervisor, SIGKILL)
                try eventually("the supervisor's end") { MountProcesses(of: mount.point) == nil }
                #expect(try runChecked("cat", [mount.point + "/file"]) == "read me")
                let upgrade = try run(tractfsExecutable(), ["upgrade", mount.point])
                #expect(upgrade.status == 1 && upgrade.errorOutput.contains("no supervising process"))
                try runChecked(tractfsExecutable(), ["unmount", mount.point])
                #expect(TestSupport.processes(withArgument: mount.point).isEmpty)
                #expect(mount.text.contains("ended"))
            }
        }
    }

    @Test("A supervisor ends a mount in order at", arguments: [SIGTERM, SIGINT])
    func ends(signal: Int32) throws {
        try withS3TestServer { server in
            try withKilledMount(of: server) { mount in
                kill(try #require(MountProcesses(of: mount.point)).supervisor, signal)
                try eventually("the end of both processes") { processes(withArgument: mount.point).isEmpty }
                #expect(!isMounted(mount.point))
                #expect(mount.text.contains("ended") && mount.takeoverCount == 0)
            }
        }
    }

    /// Mounts with a watchdog that takes a server for hanging after `seconds` without progress.
    private func withWatchdog(seconds: Double, of server: S3TestServer, _ body: (KilledMount) throws -> Void) throws {
        try withKilledMount(
            of: server, options: ["--no-cache"], environment: [TestOverrides.hangTimeoutVariable: "\(seconds)"], body)
    }
}

@Suite(.serialized, takeoverAvailable) struct UpgradeCommandTests {
    @Test func `tractfs upgrade starts the program that is installed now`() throws {
        try withInstalledProgram { program, mountPoint, _ in
            // Like the installation of a package: a new file with the same name.
            try runChecked("cp", [program, program + ".new"])
            try runChecked("mv", [program + ".new", program])
            let supervisor = try #require(MountProcesses(of: mountPoint)).supervisor
            #expect(try target(ofProgramOf: supervisor) == program + " (deleted)")
            try runChecked(program, ["upgrade", mountPoint])
            let processes = try #require(MountProcesses(of: mountPoint))
            #expect(processes.supervisor == supervisor)
            #expect(try target(ofProgramOf: supervisor) == program)
            #expect(try target(ofProgramOf: processes.server) == program)
            #expect(try runChecked("cat", [mountPoint + "/file"]) == "read me")
        }
    }

    @Test(
        "tractfs upgrade changes nothing if the new program cannot serve",
        arguments: ["echo no; exit 3", "kill -9 $$", "exit 0", "exec sleep 60"])
    func badProgram(script: String) throws {
        try withInstalledProgram { program, mountPoint, _ in
            try runChecked("mv", [program, program + ".old"])
            try "#!/bin/sh\n\(script)\n".write(toFile: program, atomically: true, encoding: .utf8)
            chmod(program, 0o755)
            let before = try #require(MountProcesses(of: mountPoint))
            let result = try run(tractfsExecutable(), ["upgrade", mountPoint])
            #expect(result.status == 1)
            #expect(result.errorOutput.contains("is served as before: \(program) can't serve it"))
            #expect(MountProcesses(of: mountPoint)?.server == before.server)
            #expect(try runChecked("cat", [mountPoint + "/file"]) == "read me")
        }
    }

    @Test(
        "An upgrade to a program that doesn't know the supervisor's format is refused, and the mount stays as it is",
        arguments: [
            ("99", "_TRACTFS_CHILD_FORMAT=99"),
            // The first format had no number, and told descriptors by position.
            (
                "1",
                "unset _TRACTFS_CHILD_FORMAT _TRACTFS_CHILD_ROLE; "
                    + "TRACTFS_ROLE=trial TRACTFS_DESCRIPTORS=-1,$_TRACTFS_CHILD_SUPERVISOR,-1,-1"
            ),
        ])
    func unknownFormat(format: String, change: String) throws {
        try withInstalledProgram { program, mountPoint, log in
            try runChecked("mv", [program, program + ".old"])
            try "#!/bin/bash\n\(change) exec \(program).old \"$@\"\n"
                .write(toFile: program, atomically: true, encoding: .utf8)
            chmod(program, 0o755)
            let before = try #require(MountProcesses(of: mountPoint))
            let result = try run(tractfsExecutable(), ["upgrade", mountPoint])
            #expect(result.status == 1)
            let refusal = "\(program) can't serve it: it does not know the format \(format) of the running version"
            #expect(result.errorOutput.contains(refusal), "\(result.errorOutput)")
            #expect(try String(contentsOfFile: log, encoding: .utf8).contains("upgrade failed"))
            let after = try #require(MountProcesses(of: mountPoint))
            #expect(after.server == before.server && after.supervisor == before.supervisor)
            #expect(try runChecked("cat", [mountPoint + "/file"]) == "read me")
        }
    }

    @Test func `tractfs upgrade refuses a path that is in no tractfs mount`() throws {
        try withTemporaryDirectory { directory in
            let result = try run(tractfsExecutable(), ["upgrade", directory])
            #expect(result.status == 1 && result.errorOutput.contains("not in a tractfs mount"))
        }
    }

    private func target(ofProgramOf process: Int32) throws -> String {
        try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
    }

    /// Mounts with a copy of the program, called tractfs as well.
    private func withInstalledProgram(
        _ body: (_ program: String, _ mountPoint: String, _ log: String) throws -> Void
    ) throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withTemporaryDirectory { directory in
                let (program, mountPoint, log) = (directory + "/tractfs", directory + "/mount", directory + "/log")
                try runChecked("cp", [tractfsExecutable(), program])
                try runChecked("mkdir", [mountPoint])
                try runChecked(
                    program,
                    ["mount", "s3://\(server.bucket)", mountPoint, "--no-cache", "--endpoint-url", server.endpointURL]
                        + ["--log-file", log], environment: environmentWithKeys)
                let result = Result { try body(program, mountPoint, log) }
                try runChecked(tractfsExecutable(), ["unmount", mountPoint])
                try eventually("the end of both processes") { processes(withArgument: mountPoint).isEmpty }
                try result.get()
            }
        }
    }
}
