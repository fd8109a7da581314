import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

@testable import tractfs

/// Access of users to an overlay. Overlayfs accesses the mount with the rights of the user who mounted, so FUSE denies
/// no other user.
@Suite(.serialized, overlays) struct OverlayAccessTests {
    private static let (owner, stranger) = (4_711, 4_712)

    private func withOwnFolder(
        _ options: [String] = [], owner: Int? = owner, _ body: (OverlaidMount) throws -> Void
    ) throws {
        try withS3TestServer { server in
            server.put("100307/file", .text("read me\n"))
            try withOverlayFolder { folder in
                if let owner { chown(folder, uid_t(owner), gid_t(owner)) }
                try withOverlay(of: server, in: folder, options: options) { mount throws in
                    // The folder around the mount point is root's alone.
                    chmod(URL(fileURLWithPath: mount.point).deletingLastPathComponent().path, 0o755)
                    try body(mount)
                }
            }
        }
    }

    private func bash(as user: Int, _ script: String, _ mount: OverlaidMount) throws -> CommandResult {
        try run(
            "setpriv",
            [
                "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "--", "bash", "-ec", "cd \"$0\"; \(script)",
                mount.point,
            ],
            environment: ["LC_ALL": "C"], directory: "/")
    }

    @Test func `All files of an overlay belong to the owner of its folder, and other users have no access`() throws {
        try withOwnFolder { mount throws in
            #expect(
                try mount.bash("stat -c '%u %g %a %n' . 100307 100307/file")
                    == "4711 4711 700 .\n4711 4711 755 100307\n4711 4711 644 100307/file\n")
            let own = try bash(
                as: Self.owner,
                "cat 100307/file; touch 100307/file; echo x > 100307/new; mkdir a; mv 100307 b; stat -c %u b/new", mount
            )
            #expect(own.output == "read me\n4711\n", "\(own)")
            for script in ["cat b/file", "touch new"] {
                let other = try bash(as: Self.stranger, script, mount)
                #expect(other.status != 0 && other.errorOutput.contains("Permission denied"), "\(other)")
            }
            // Other users do not reach the mount below either.
            let asked = try run(
                "setpriv", ["--reuid=\(Self.owner)", "--clear-groups", "--", "cat", mount.folder + "/socket"])
            #expect(asked.status != 0)
        }
    }

    @Test func `With --allow-other the modes decide about other users of an overlay`() throws {
        try withOwnFolder(["--allow-other"]) { mount throws in
            let other = try bash(as: Self.stranger, "cat 100307/file; touch 100307/new", mount)
            #expect(other.output == "read me\n" && other.errorOutput.contains("Permission denied"), "\(other)")
        }
        try withOwnFolder([
            "--allow-other", "--dir-mode", "0775", "--file-mode", "0664", "--gid", "\(Self.stranger)", "--uid", "0",
        ]) { mount throws in
            let other = try bash(
                as: Self.stranger, "cat 100307/file; touch 100307/new new; echo x >> 100307/file; cat 100307/file",
                mount)
            #expect(other.output == "read me\nread me\nx\n", "\(other)")
        }
    }

    @Test func `In an overlay set-user-id bits are ignored, and programs with --noexec too`() throws {
        try withOwnFolder(["--noexec"], owner: nil) { mount throws in
            try mount.bash("cp /bin/true program; chmod 4755 program")
            let ran = try run(mount.point + "/program", environment: [:])
            #expect(ran.status != 0)
        }
    }
}
