import Foundation
import Glibc
import MountControl
import ObjectStore
import TestSupport
import Testing

@testable import tractfs

/// Commands that reach the mount below an overlay.
@Suite(.serialized, overlays) struct OverlayCommandTests {
    private func withTree(options: [String] = [], _ body: (S3TestServer, OverlaidMount) throws -> Void) throws {
        try withS3TestServer { server in
            server.put("100307/T1w/file", .text("old\n"))
            server.put("100307/T1w/gone", .text("x\n"))
            server.put("100408/file", .text("x\n"))
            try withOverlay(of: server, options: ["--metadata-ttl", "forever"] + options) { mount throws in
                try mount.bash("ls -lR . > /dev/null; cat 100307/T1w/file > /dev/null")
                try body(server, mount)
            }
        }
    }

    @Test func `tractfs status shows a mount with an overlay and the folder of its changes`() throws {
        try withTree { server, mount throws in
            let status = try mount.tractfs("status", mount.point + "/100307")
            #expect(status.output.hasPrefix("\(mount.point): s3://\(server.bucket)"), "\(status)")
            #expect(status.output.contains("\n  overlay      what is written is kept in \(mount.upper)\n"))
            #expect(try mount.status().overlay == mount.upper)
            #expect(try mount.tractfs("status", "--json").output.contains("\"mount_point\": \"\(mount.point)\""))
            #expect(
                try mount.tractfs("status", "--prometheus").output.contains(
                    "tractfs_up{mount_point=\"\(mount.point)\"} 1"))
        }
    }

    @Test func `tractfs refresh shows new, deleted and changed objects through an overlay, also to its users`() throws {
        try withTree { server, mount throws in
            try withTemporaryDirectory { temporary in
                let script = """
                    cat new; until [ -e "$0/go" ]; do sleep 0.01; done
                    /bin/pwd; cat file; cat new; ls .; ls ../../100408; cat "$1/100307/T1w/kept"
                    """
                try mount.bash("echo kept > 100307/T1w/kept")
                let shell = try BackgroundProcess(
                    "bash", ["-c", script, temporary, mount.point], directory: mount.point + "/100307/T1w",
                    outputDirectory: temporary)
                defer { shell.end() }
                try eventually("that the shell has looked") { shell.errorOutput.contains("No such file") }
                server.put("100307/T1w/file", .text("newer\n"))
                server.put("100307/T1w/new", .text("new\n"))
                server.delete("100307/T1w/gone")
                let result = try mount.tractfs("refresh", mount.point + "/100307")
                #expect(result.status == 0 && result.output + result.errorOutput == "", "\(result)")
                try Data().write(to: URL(fileURLWithPath: temporary + "/go"))
                try shell.waitForEnd(timeout: .seconds(30))
                #expect(
                    shell.output == "\(mount.point)/100307/T1w\nnewer\nnew\nfile\nkept\nnew\nfile\nkept\n",
                    "\(shell.errorOutput)")
            }
        }
    }

    @Test func `An object below an overlay that was overwritten is stale until refresh`() throws {
        try withS3TestServer { server in
            server.put("folder/file", .text("old\n"))
            try withOverlay(of: server, options: ["--metadata-ttl", "1s"]) { mount throws in
                try #expect(mount.text("folder/file") == "old\n")
                server.put("folder/file", .text("newer\n"))
                try eventually("that its time is over") {
                    try run("cat", [mount.point + "/folder/file"]).errorOutput.contains("Stale file handle")
                }
                #expect(try mount.tractfs("refresh", mount.point).status == 0)
                try #expect(mount.text("folder/file") == "newer\n")
            }
        }
    }

    @Test func `tractfs warm, presign and upgrade reach the mount below an overlay`() throws {
        try withTree { server, mount throws in
            let warmed = try mount.tractfs("warm", "--metadata", mount.point + "/100307")
            #expect(warmed.status == 0 && warmed.output.hasPrefix("\(mount.point)/100307: "), "\(warmed)")
            let signed = try mount.tractfs("presign", mount.point + "/100307/T1w/file")
            #expect(signed.status == 0 && signed.output.contains("/100307/T1w/file?"), "\(signed)")
            let all = try mount.tractfs("presign", mount.point, "--recursive")
            #expect(all.output.split(separator: "\n").count == 3, "\(all)")
            guard kernelIsAtLeast(6, 9) else { return }
            let before = try #require(MountProcesses(of: mount.point))
            try mount.bash("echo x > 100307/new")
            for _ in 0..<2 {
                let upgraded = try mount.tractfs("upgrade", mount.point)
                #expect(upgraded.status == 0 && upgraded.output.contains("\(mount.point) is served by"), "\(upgraded)")
            }
            let after = try #require(MountProcesses(of: mount.point))
            #expect(after.supervisor == before.supervisor && after.server != before.server)
            #expect(try mount.bash("cat 100307/new 100307/T1w/file") == "x\nold\n")
            #expect(try mount.status().overlay == mount.upper)
        }
    }

    @Test func `tractfs refuses paths that are only in the overlay with that reason`() throws {
        try withTree { server, mount throws in
            try mount.bash("mkdir results; mv 100408 renamed")
            for path in ["results", "renamed"] {
                for command in [["refresh"], ["warm", "--metadata"], ["presign", "--recursive"]] {
                    let result = try run(tractfsExecutable(), command + ["\(mount.point)/\(path)"])
                    #expect(
                        result.status == 1 && result.errorOutput.contains("\(path) is only in the overlay"), "\(result)"
                    )
                }
            }
        }
    }

    @Test func `The kernel forgets names of an overlay beyond --metadata-limit`() throws {
        let fileCount = 60_000
        try withS3TestServer { server in
            for index in 0..<fileCount { server.put(Key("f\(index / 100)/a name of some length \(index)"), .text("x")) }
            let options = ["--memory-limit", "128MiB", "--metadata-limit", "8MiB"]
            try withOverlay(of: server, options: options) { mount throws in
                try mount.bash("find . -type f -printf '%s\\n' | sort -u")
                var folder = 0
                try eventually("that the kernel has forgotten names") {
                    // Only a listing that comes makes room, so each round needs a folder that may have gone.
                    folder = (folder + 1) % (fileCount / 100)
                    try mount.bash("ls f\(folder) > /dev/null")
                    let status = try mount.status()
                    return status.names.inodes < fileCount
                        && status.memory.metadataBytes < status.memory.metadataLimitBytes
                }
            }
        }
    }
}
