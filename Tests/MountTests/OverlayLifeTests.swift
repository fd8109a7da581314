import Foundation
import Glibc
import MountControl
import ObjectStore
import TestSupport
import Testing

@testable import tractfs

/// A mount and its overlay begin and end as one.
@Suite(.serialized, overlays) struct OverlayLifeTests {
    private func withBucket(_ body: (S3TestServer, String) throws -> Void) throws {
        try withS3TestServer { server in
            server.put("folder/file", .pattern(seed: 3, byteCount: 4_000_000))
            server.put("README", .text("read me\n"))
            try withOverlayFolder { try body(server, $0) }
        }
    }

    private func expectGone(_ mount: OverlaidMount) throws {
        try eventually("the end of both processes") { processes(withArgument: mount.point).isEmpty }
        #expect(!isMounted(mount.point))
        #expect(!FileManager.default.fileExists(atPath: mount.folder + "/socket"))
    }

    @Test(
        "A mount with an overlay ends, and nothing stays, with",
        arguments: ["umount", "umount -l", "tractfs unmount", "SIGTERM"])
    func ends(way: String) throws {
        try withBucket { server, folder throws in
            try withOverlay(of: server, in: folder) { mount throws in
                try mount.bash("echo x > folder/new")
                switch way {
                case "tractfs unmount": try runChecked(tractfsExecutable(), ["unmount", mount.point])
                case "SIGTERM": kill(try #require(MountProcesses(of: mount.point)).supervisor, SIGTERM)
                default: try runChecked("bash", ["-c", "\(way) \"$0\"", mount.point])
                }
                try expectGone(mount)
            }
            try withOverlay(of: server, in: folder) { mount throws in #expect(try mount.text("folder/new") == "x\n") }
        }
    }

    @Test func `A mount with an overlay is one mount to its users, and refuses umount while it is in use`() throws {
        try withBucket { server, folder throws in
            try withOverlay(of: server, in: folder) { mount throws in
                let lines = mountTable().filter { $0.contains(" \(mount.point) ") }
                #expect(lines.count == 1)
                #expect(lines.first?.contains(" - overlay s3://\(server.bucket)") == true)
                try withOpenFile(mount.point + "/folder/file") { _ in
                    let refused = try run("umount", [mount.point], environment: ["LC_ALL": "C"])
                    #expect(refused.status != 0 && refused.errorOutput.contains("busy"))
                }
                #expect(try mount.text("README") == "read me\n")
            }
        }
    }

    @Test(takeoverAvailable) func `An overlay is read, written and listed while servers are killed`() throws {
        try withBucket { server, folder throws in
            server.setLatency(.milliseconds(20))
            try withOverlay(of: server, in: folder, options: ["--no-cache"]) { mount throws in
                let expected = try mount.bash("cksum < folder/file")
                for round in 0..<5 {
                    let before = try #require(MountProcesses(of: mount.point))
                    try mount.bash(
                        "echo \(round) >> folder/new; dd if=folder/file of=/dev/null iflag=nocache status=none & kill -9 $1; wait",
                        ["\(before.server)"])
                    #expect(try mount.bash("cksum < folder/file") == expected)
                    try eventually("another server") {
                        MountProcesses(of: mount.point).map { $0.server != before.server } ?? false
                    }
                    #expect(try mount.status().generation == round + 2)
                }
                #expect(try mount.text("folder/new") == "0\n1\n2\n3\n4\n")
            }
        }
    }

    @Test(
        "A mount with an overlay whose processes were killed is cleared by",
        arguments: ["tractfs unmount", "umount", "tractfs mount", "a mount elsewhere"])
    func dead(way: String) throws {
        try withBucket { server, folder throws in
            try withOverlay(of: server, in: folder) { mount throws in
                try mount.bash("echo kept > folder/new")
                try #require(MountProcesses(of: mount.point)).killBoth()
                try eventually("their end") { processes(withArgument: mount.point).isEmpty }
                #expect(isMounted(mount.point))
                let status = try mount.tractfs("status", mount.point)
                #expect(status.status == 1 && (status.output + status.errorOutput).contains("gone"), "\(status)")
                switch way {
                case "tractfs unmount": try runChecked(tractfsExecutable(), ["unmount", mount.point])
                case "umount": try runChecked("umount", [mount.point])
                case "tractfs mount":
                    try runChecked(
                        tractfsExecutable(),
                        [
                            "mount", "s3://\(server.bucket)", mount.point, "--overlay", folder, "--no-cache",
                            "--endpoint-url", server.endpointURL,
                        ],
                        environment: environmentWithKeys)
                    #expect(try mount.text("folder/new") == "kept\n")
                    try runChecked("umount", [mount.point])
                default:
                    try withOverlay(of: server, in: folder) { mount throws in
                        #expect(try mount.text("folder/new") == "kept\n")
                    }
                }
                #expect(!isMounted(mount.point))
            }
        }
    }

    @Test func `A dead mount with an overlay is cleared for a mount without one`() throws {
        try withBucket { server, folder throws in
            try withOverlay(of: server, in: folder) { mount throws in
                try #require(MountProcesses(of: mount.point)).killBoth()
                try eventually("their end") { processes(withArgument: mount.point).isEmpty }
                try runChecked(
                    tractfsExecutable(),
                    [
                        "mount", "s3://\(server.bucket)", mount.point, "--no-cache", "--endpoint-url",
                        server.endpointURL,
                    ],
                    environment: environmentWithKeys)
                #expect(try mount.text("README") == "read me\n")
                #expect(
                    errno { try "x".write(toFile: mount.point + "/README", atomically: false, encoding: .utf8) } != nil)
            }
        }
    }

    @Test func `A mount with an overlay works without its supervisor, and ends in order`() throws {
        try withBucket { server, folder throws in
            try withOverlay(of: server, in: folder) { mount throws in
                kill(try #require(MountProcesses(of: mount.point)).supervisor, SIGKILL)
                try eventually("the supervisor's end") { MountProcesses(of: mount.point) == nil }
                #expect(try mount.text("README") == "read me\n")
                // It still has the folder.
                let second = try withTemporaryDirectory { other in
                    try run(
                        tractfsExecutable(),
                        [
                            "mount", "s3://\(server.bucket)", other, "--overlay", folder, "--endpoint-url",
                            server.endpointURL,
                        ],
                        environment: environmentWithKeys)
                }
                #expect(second.status == 1 && second.errorOutput.contains("in use by another mount"), "\(second)")
                try runChecked("umount", [mount.point])
                try eventually("the server's end") { processes(withArgument: mount.point).isEmpty }
            }
        }
    }

    private func errno(of body: () throws -> Void) -> (any Error)? {
        do {
            try body()
            return nil
        } catch { return error }
    }
}
