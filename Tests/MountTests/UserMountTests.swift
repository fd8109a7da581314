import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

/// A Boolean value that is `true` for root, who can run commands as another user, with a /dev/fuse.
private let canBeSomebodyElse = fuseAvailable && geteuid() == 0

/// The arguments with which setpriv(1) runs a command as the user `nobody`.
private let asNobody = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]

/// Runs commands as the user `nobody`, with a tractfs and a folder that this user can reach, in a mount namespace where
/// all users may open /dev/fuse. udev sees to that on a machine, but not in every container.
private struct Nobody {
    /// A copy of the program, because the folder it is built in may be closed to others.
    let program: String
    let directory: String
    /// A process in the mount namespace.
    let keeperID: Int32

    var mountPoint: String { directory + "/mount" }

    /// Calls `body` with such a user and a server, and removes both.
    ///
    /// - Parameters:
    ///   - fuseMode: The permissions of /dev/fuse.
    ///   - fuseConfiguration: What is in /etc/fuse.conf.
    static func with<Result>(
        fuseMode: String = "666", fuseConfiguration: String = "", _ body: (Nobody, S3TestServer) throws -> Result
    ) throws -> Result {
        try withTemporaryDirectory { directory in
            chmod(directory, 0o755)
            let (program, home) = (directory + "/tractfs", directory + "/home")
            try runChecked("cp", [tractfsExecutable(), program])
            try runChecked("install", ["-d", "-o", "nobody", home, home + "/mount"])
            try fuseConfiguration.write(toFile: directory + "/fuse.conf", atomically: true, encoding: .utf8)
            let script = """
                set -e
                mknod -m \(fuseMode) fuse c 10 229
                mount --bind fuse /dev/fuse
                mount --bind fuse.conf /etc/fuse.conf
                echo ready
                exec sleep infinity
                """
            let keeper = try BackgroundProcess(
                "env", inMountNamespace(script), directory: directory, outputDirectory: directory)
            defer { keeper.end() }
            try eventually("the mount namespace: \(keeper.errorOutput)") { keeper.output == "ready\n" }
            let nobody = Nobody(program: program, directory: home, keeperID: keeper.processID)
            return try withS3TestServer { server in
                server.put("README", .text("read me"))
                let result = Swift.Result { try body(nobody, server) }
                if nobody.isMounted { try nobody.runInNamespace(["umount", "-l", nobody.mountPoint]) }
                try eventually("the end of nobody's mount") { processes(withArgument: nobody.mountPoint).isEmpty }
                return try result.get()
            }
        }
    }

    /// A Boolean value that is `true` if the mount point has a mount, in the namespace.
    var isMounted: Bool {
        mountTable(of: keeperID).contains { $0.contains(" \(mountPoint) ") }
    }

    /// Runs a command as root.
    @discardableResult
    func runInNamespace(_ command: [String]) throws -> CommandResult {
        let environment = environmentWithKeys.merging(["HOME": directory, "LC_ALL": "C"]) { $1 }
        return try TestSupport.run(
            "nsenter", ["--mount=/proc/\(keeperID)/ns/mnt", "--"] + command, environment: environment,
            timeout: .seconds(30))
    }

    /// Runs a command as `nobody`.
    func run(_ command: String...) throws -> CommandResult {
        try runInNamespace(["setpriv"] + asNobody + command)
    }

    /// Returns the output of the doctor for `nobody`.
    func doctor(_ server: S3TestServer, _ options: String...) throws -> String {
        try runInNamespace(
            ["setpriv"] + asNobody
                + [program, "doctor", "s3://\(server.bucket)", "--endpoint-url", server.endpointURL] + options
        ).output
    }

    /// Mounts as `nobody`.
    func mount(_ server: S3TestServer, _ options: String...) throws -> CommandResult {
        try mount(server, options)
    }

    func mount(_ server: S3TestServer, _ options: [String]) throws -> CommandResult {
        try runInNamespace(
            ["setpriv"] + asNobody + [
                program, "mount", "s3://\(server.bucket)", mountPoint, "--no-cache", "--endpoint-url",
                server.endpointURL,
            ] + options)
    }
}

@Suite(mounts, .enabled(if: canBeSomebodyElse, "needs root and /dev/fuse"))
struct UserMountTests {
    @Test("A user who is not root mounts, reads and unmounts", arguments: ["tractfs", "fusermount3"])
    func mounts(unmounter: String) throws {
        try Nobody.with { nobody, server in
            let mounted = try nobody.mount(server, "--noexec")
            #expect(mounted.status == 0 && mounted.errorOutput == "", "\(mounted.errorOutput)")
            #expect(try nobody.run("cat", nobody.mountPoint + "/README").output == "read me")
            #expect(try nobody.run("stat", "-c", "%U", nobody.mountPoint).output == "nobody\n")
            // Not even root may look into a user's mount (mount.fuse3(8), allow_other).
            #expect(try nobody.runInNamespace(["ls", nobody.mountPoint]).status != 0)
            let status = try nobody.run(nobody.program, "status", nobody.mountPoint)
            #expect(status.status == 0 && status.output.hasPrefix("\(nobody.mountPoint): s3://\(server.bucket)/\n"))
            let refused = try nobody.runInNamespace([nobody.program, "status", nobody.mountPoint])
            #expect(refused.status == 1 && refused.errorOutput.contains("only the user who mounted it may ask it"))
            let type = try nobody.run("findmnt", "-no", "FSTYPE,OPTIONS", nobody.mountPoint).output
            #expect(type.hasPrefix("fuse.tractfs ") && type.contains("ro,") && type.contains("nosuid,nodev,noexec"))
            let unmounted =
                unmounter == "tractfs"
                ? try nobody.run(nobody.program, "unmount", nobody.mountPoint)
                : try nobody.run("fusermount3", "-u", nobody.mountPoint)
            #expect(unmounted.status == 0, "\(unmounted.errorOutput)")
            #expect(!nobody.isMounted)
            try eventually("the end of the server") { processes(withArgument: nobody.mountPoint).isEmpty }
        }
    }

    @Test func `A user who is not root can change and remove a copy of a folder of the mount`() throws {
        try Nobody.with { nobody, server in
            for key in ["sub-01/anat/T1w.nii.gz", "sub-01/dwi/bvals"] { server.put(Key(key), .text("x")) }
            #expect(try nobody.mount(server).status == 0)
            let tree = nobody.mountPoint + "/sub-01"
            for copy in [
                "cp -r $0 copy", "cp -a $0 copy", "rsync -a $0/ copy", "mkdir copy; tar -C $0 -c . | tar -C copy -x",
            ] {
                let script =
                    "cd; set -e; \(copy); touch copy/new copy/anat/new; echo y >> copy/dwi/bvals; mv copy/anat copy/other; rm -r copy"
                let result = try nobody.run("sh", "-c", script, tree)
                #expect(result.status == 0, "\(copy): \(result.errorOutput)")
            }
        }
    }

    @Test func `access(2) tells a user who is not root that files in their mount are not writable`() throws {
        try Nobody.with { nobody, server in
            server.put("folder/file", .text("x"))
            for options in [[], ["--file-mode", "0666", "--dir-mode", "0777"]] {
                #expect(try nobody.mount(server, options).status == 0)
                let script = """
                    import errno, os, sys
                    for path in [".", "README", "folder", "folder/file"]:
                        assert os.access(path, os.R_OK) and not os.access(path, os.W_OK), path
                    try:
                        open("README", "r+")
                        sys.exit("opened for writing")
                    except OSError as error:
                        assert error.errno == errno.EROFS, error
                    """
                let result = try nobody.run("sh", "-c", "cd $0 && exec python3 -c \"$1\"", nobody.mountPoint, script)
                #expect(result.status == 0, "\(result.errorOutput)")
                let writable = try nobody.run("find", nobody.mountPoint, "-writable")
                #expect(writable.status == 0 && writable.output == "", "\(writable)")
                #expect(try nobody.run(nobody.program, "unmount", nobody.mountPoint).status == 0)
            }
        }
    }

    @Test(
        "A user who is not root can clear a mount of theirs whose processes were killed",
        arguments: ["unmount", "mount"])
    func deadMount(way: String) throws {
        try Nobody.with { nobody, server in
            #expect(try nobody.mount(server).status == 0)
            try #require(MountProcesses(of: nobody.mountPoint)).killBoth()
            try eventually("the end of the server") { processes(withArgument: nobody.mountPoint).isEmpty }
            if way == "mount" {
                let again = try nobody.mount(server)
                #expect(again.status == 0, "\(again.errorOutput)")
                #expect(try nobody.run("cat", nobody.mountPoint + "/README").output == "read me")
            }
            let unmounted = try nobody.run(nobody.program, "unmount", nobody.mountPoint)
            #expect(unmounted.status == 0, "\(unmounted.errorOutput)")
            #expect(!nobody.isMounted)
        }
    }

    @Test(.enabled(if: kernelIsAtLeast(6, 9), "needs Linux 6.9 or later"))
    func `A user who is not root reads on when the serving process is killed`() throws {
        try Nobody.with { nobody, server in
            #expect(try nobody.mount(server).status == 0)
            let before = try #require(MountProcesses(of: nobody.mountPoint))
            kill(before.server, SIGKILL)
            #expect(try nobody.run("cat", nobody.mountPoint + "/README").output == "read me")
            let after = try #require(MountProcesses(of: nobody.mountPoint))
            #expect(after.server != before.server && after.supervisor == before.supervisor)
            #expect(try nobody.run(nobody.program, "unmount", nobody.mountPoint).status == 0)
        }
    }

    @Test("A user who is not root is told the requirements of --allow-other", arguments: ["", "user_allow_other\n"])
    func allowOther(fuseConfiguration: String) throws {
        try Nobody.with(fuseConfiguration: fuseConfiguration) { nobody, server in
            let result = try nobody.mount(server, "--allow-other")
            if fuseConfiguration.isEmpty {
                #expect(result.status == 1)
                #expect(result.errorOutput.contains("\"user_allow_other\" in /etc/fuse.conf"))
                #expect(result.errorOutput.split(separator: "\n").count == 1)
                #expect(!nobody.isMounted)
            } else {
                #expect(result.status == 0, "\(result.errorOutput)")
                #expect(try nobody.runInNamespace(["cat", nobody.mountPoint + "/README"]).output == "read me")
            }
        }
    }

    @Test func `The doctor tells a user who is not root the requirements of mounting and of passthrough`() throws {
        try Nobody.with { nobody, server in
            let open = try nobody.doctor(server)
            #expect(open.contains("ok       fuse: "), "\(open)")
            #expect(open.contains("warning  passthrough: "), "\(open)")
            #expect(open.contains("mount as root") || open.contains("newer kernel"), "\(open)")
            let others = try nobody.doctor(server, "--allow-other")
            #expect(others.contains("failure  fuse: --allow-other needs the line \"user_allow_other\""), "\(others)")
        }
        try Nobody.with(fuseMode: "600", fuseConfiguration: "user_allow_other\n") { nobody, server in
            let closed = try nobody.doctor(server, "--allow-other")
            #expect(closed.contains("failure  fuse: you may not open /dev/fuse; have root allow it"), "\(closed)")
        }
    }

    @Test func `A user who is not root is told the remedy for a /dev/fuse that is root's alone`() throws {
        try Nobody.with(fuseMode: "600") { nobody, server in
            let result = try nobody.mount(server)
            #expect(result.status == 1)
            #expect(result.errorOutput.contains("chmod 666 /dev/fuse"), "\(result.errorOutput)")
            #expect(result.errorOutput.split(separator: "\n").count == 1)
            #expect(!nobody.isMounted)
        }
    }

    @Test func `A user who is not root is told that a mount point belongs to another user`() throws {
        try Nobody.with { nobody, server in
            chown(nobody.mountPoint, 0, 0)
            let result = try nobody.mount(server)
            #expect(result.status == 1)
            #expect(result.errorOutput.contains(nobody.mountPoint) && result.errorOutput.contains("write"))
            #expect(result.errorOutput.split(separator: "\n").count == 1, "\(result.errorOutput)")
            #expect(!nobody.isMounted)
        }
    }

    @Test("A user who is not root reads root's mount only with --allow-other", arguments: [false, true])
    func rootsMount(isAllowed: Bool) throws {
        try withS3TestServer { server in
            server.put("README", .text("read me"))
            let options = ["--endpoint-url", server.endpointURL] + (isAllowed ? ["--allow-other"] : [])
            try withMount(uri: "s3://\(server.bucket)", options: options, environment: environmentWithKeys) {
                mountPoint throws in
                // The folder around it is root's alone.
                chmod(URL(fileURLWithPath: mountPoint).deletingLastPathComponent().path, 0o755)
                let result = try run(
                    "setpriv", asNobody + ["cat", mountPoint + "/README"], environment: ["LC_ALL": "C"])
                #expect(result.output == (isAllowed ? "read me" : ""))
                #expect(result.errorOutput.contains("Permission denied") == !isAllowed)
            }
        }
    }
}
