import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

@testable import tractfs

/// Mounts that cannot have an overlay fail with one line, and leave nothing behind.
@Suite(.serialized, overlays) struct OverlayFailureTests {
    /// Expects that mounting fails with these words, and leaves neither a mount nor anything in the overlay's folder.
    private func expectFailure(
        _ server: S3TestServer, at mountPoint: String, overlay: String, uri: String? = nil, _ options: [String] = [],
        launcher: [String] = [], says words: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let before = contents(overlay)
        let command =
            launcher + [
                try tractfsExecutable(), "mount", uri ?? "s3://\(server.bucket)", mountPoint, "--overlay", overlay,
            ]
            + ["--no-cache", "--endpoint-url", server.endpointURL] + options
        let result = try run(command[0], Array(command.dropFirst()), environment: environmentWithKeys)
        defer { _ = try? run("umount", ["-l", mountPoint]) }
        #expect(result.status == 1, sourceLocation: sourceLocation)
        #expect(result.errorOutput.split(separator: "\n").count == 1, "\(result)", sourceLocation: sourceLocation)
        for word in words {
            #expect(result.errorOutput.contains(word), "\(result)", sourceLocation: sourceLocation)
        }
        #expect(!isMounted(mountPoint), sourceLocation: sourceLocation)
        #expect(processes(withArgument: mountPoint).isEmpty, sourceLocation: sourceLocation)
        #expect(contents(overlay) == before, sourceLocation: sourceLocation)
    }

    private func contents(_ folder: String) -> [String] {
        ((try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []).sorted()
    }

    private func withFolders(_ body: (S3TestServer, String, String) throws -> Void) throws {
        try withS3TestServer { server in
            server.put("HCP/file", .text("x"))
            try withTemporaryDirectory { directory in
                for name in ["mount", "overlay"] {
                    try FileManager.default.createDirectory(
                        atPath: "\(directory)/\(name)", withIntermediateDirectories: false)
                }
                try body(server, directory + "/mount", directory + "/overlay")
            }
        }
    }

    @Test func `An invalid --overlay folder is refused with the reason`() throws {
        try withFolders { server, mountPoint, folder throws in
            try expectFailure(
                server, at: mountPoint, overlay: folder + "/none", says: ["does not exist", "mkdir -p \(folder)/none"])
            try expectFailure(server, at: mountPoint, overlay: "", says: ["the overlay's folder is empty"])
            try expectFailure(server, at: mountPoint, overlay: "/etc/passwd", says: ["/etc/passwd is not a folder"])
            try expectFailure(
                server, at: mountPoint, overlay: "/proc/self", says: ["is on proc, which keeps no extended attributes"])
            try expectFailure(server, at: mountPoint, overlay: mountPoint, says: ["within the mount point"])
            let inner = folder + "/" + String(repeating: "n", count: 250)
            try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
            try expectFailure(server, at: mountPoint, overlay: inner, says: ["longer than overlayfs takes"])
            // A folder with foreign contents, also if these have the names of ours.
            for name in ["results", "upper"] {
                try FileManager.default.createDirectory(
                    atPath: folder + "/x/" + name, withIntermediateDirectories: true)
                try expectFailure(
                    server, at: mountPoint, overlay: folder + "/x", says: ["has something else in it (\(name))"])
                try FileManager.default.removeItem(atPath: folder + "/x")
            }
        }
    }

    @Test func `An --overlay folder and a mount point that contain each other are refused`() throws {
        try withFolders { server, mountPoint, folder throws in
            let inner = folder + "/work"
            try FileManager.default.createDirectory(atPath: inner, withIntermediateDirectories: false)
            try expectFailure(
                server, at: inner, overlay: folder, says: ["the mount point \(inner) is within the overlay's folder"])
            let below = mountPoint + "/overlay"
            try FileManager.default.createDirectory(atPath: below, withIntermediateDirectories: false)
            try expectFailure(server, at: mountPoint, overlay: below, says: ["within the mount point"])
        }
    }

    @Test func `An --overlay folder on an unsuitable file system is refused with the reason`() throws {
        try withFolders { server, mountPoint, folder throws in
            let script = """
                mount -t tmpfs -o "$1" none "$2"; [ "$1" != ro ] || mount -o remount,ro "$2"; shift 2; "$@"
                """
            func launcher(_ options: String) -> [String] {
                ["unshare", "--mount", "bash", "-c", script, "bash", options, folder]
            }
            try expectFailure(
                server, at: mountPoint, overlay: folder, launcher: launcher("ro"), says: ["mounted read-only"])
            // In a mount of ours.
            try withMount(of: server) { other throws in
                try expectFailure(
                    server, at: mountPoint, overlay: other + "/HCP", says: ["is on fuse.tractfs", "ext4"])
            }
            try withOverlay(of: server) { other throws in
                try other.bash("mkdir inner")
                try expectFailure(server, at: mountPoint, overlay: other.point + "/inner", says: ["is on overlay"])
            }
        }
    }

    @Test func `An --overlay folder of another mount or bucket is refused with that reason`() throws {
        try withFolders { server, mountPoint, folder throws in
            try withOverlay(of: server, in: folder) { mount throws in
                try expectFailure(server, at: mountPoint, overlay: folder, says: ["in use by another mount"])
                try mount.bash("echo x > new")
            }
            let other = "s3://\(server.bucket)/HCP"
            try expectFailure(
                server, at: mountPoint, overlay: folder, uri: other,
                says: [
                    "what was written to s3://\(server.bucket)/ at", "and not to \(other)",
                    "remove \(folder)/upper and",
                ])
            // An overlay without changes belongs to no bucket.
            try FileManager.default.removeItem(atPath: folder + "/upper/new")
            try runChecked(
                tractfsExecutable(),
                ["mount", other, mountPoint, "--overlay", folder, "--no-cache", "--endpoint-url", server.endpointURL],
                environment: environmentWithKeys)
            #expect(FileManager.default.fileExists(atPath: mountPoint + "/file"))
            try runChecked(tractfsExecutable(), ["unmount", mountPoint])
        }
    }

    @Test func `A mount with an overlay that the bucket, the kernel or the user prevents leaves nothing`() throws {
        try withFolders { server, mountPoint, folder throws in
            try expectFailure(
                server, at: mountPoint, overlay: folder, ["--presign-xattr"], says: ["--presign-xattr", "leave one"])
            try expectFailure(
                server, at: mountPoint, overlay: folder, uri: "s3://\(server.bucket)/nothing",
                says: ["there is nothing under"])
            // As for a user, and for root in a container without the right to mount.
            let asUser = ["setpriv", "--reuid=65534", "--clear-groups", "--"]
            for parent in [folder, folder + "/.."] { chmod(parent, 0o755) }
            let program = folder + "/../tractfs"
            try runChecked("cp", [tractfsExecutable(), program])
            let result = try run(
                asUser[0],
                asUser.dropFirst() + [
                    program, "mount", "s3://\(server.bucket)", mountPoint, "--overlay", folder, "--no-cache",
                ],
                environment: environmentWithKeys)
            #expect(
                result.status == 1
                    && result.errorOutput == "tractfs: --overlay needs root, for overlayfs; mount with sudo\n",
                "\(result)")
            try expectFailure(
                server, at: mountPoint, overlay: folder,
                launcher: ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--"],
                says: ["not permitted", "SYS_ADMIN"])
            #expect(contents(folder).isEmpty)
        }
    }
}
