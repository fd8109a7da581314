import Foundation
import Mounting
import ObjectStore
import Settings
import Testing
import TestSupport

@testable import tractfs

/// A mount namespace in which mount(8) finds mount.tractfs in /sbin.
private struct MachineWithHelper {
    let directory: String
    /// A process in the namespace.
    private let keeperID: Int32

    var mountPoint: String { directory + "/mount" }
    /// In place of /etc/fstab.
    var table: String { directory + "/fstab" }

    static func with<Result>(_ body: (MachineWithHelper) throws -> Result) throws -> Result {
        try withTemporaryDirectory { directory in
            for folder in ["/sbin", "/bin", "/mount"] { try TestSupport.runChecked("mkdir", [directory + folder]) }
            try TestSupport.runChecked("ln", ["-s", tractfsExecutable(), directory + "/sbin/" + MountHelper.name])
            // For mount.fuse3(8), which has a shell find it, by a PATH that mount(8) sets.
            try TestSupport.runChecked("ln", ["-s", tractfsExecutable(), directory + "/bin/tractfs"])
            // What mount(8) looks for in the same folder, which the bind mount hides.
            for name in ["mount.fuse", "mount.fuse3"] where FileManager.default.fileExists(atPath: "/sbin/" + name) {
                try TestSupport.runChecked("cp", ["/sbin/" + name, directory + "/sbin/" + name])
            }
            let keeper = try BackgroundProcess(
                "unshare",
                [
                    "--mount", "sh", "-ec",
                    "mount --bind sbin /sbin; mount --bind bin /usr/local/sbin; echo ready; exec sleep infinity",
                ],
                directory: directory, outputDirectory: directory)
            defer { keeper.end() }
            try eventually("the mount namespace: \(keeper.errorOutput)") { keeper.output == "ready\n" }
            let machine = MachineWithHelper(directory: directory, keeperID: keeper.processID)
            let result = Swift.Result { try body(machine) }
            while machine.mountCount > 0 { try machine.runChecked(["umount", "-l", machine.mountPoint]) }
            try eventually("the end of the mount") { processes(withArgument: machine.mountPoint).isEmpty }
            return try result.get()
        }
    }

    /// Writes a line for the mount point to the table.
    func mountsByTable(_ uri: String, type: String = "tractfs", _ options: [String]) throws {
        try "\(uri) \(mountPoint) \(type) \(options.joined(separator: ",")) 0 0\n"
            .write(toFile: table, atomically: false, encoding: .utf8)
    }

    /// How many mounts are on the mount point.
    var mountCount: Int {
        mountTable(of: keeperID).count { $0.contains(" \(mountPoint) ") }
    }

    func run(_ command: [String]) throws -> CommandResult {
        try TestSupport.run(
            "nsenter", ["--mount=/proc/\(keeperID)/ns/mnt", "--"] + command, environment: environmentWithKeys,
            timeout: .seconds(60))
    }

    @discardableResult
    func runChecked(_ command: [String]) throws -> String {
        try TestSupport.runChecked(
            "nsenter", ["--mount=/proc/\(keeperID)/ns/mnt", "--"] + command, environment: environmentWithKeys,
            timeout: .seconds(60))
    }
}

@Suite("A line of /etc/fstab", .enabled(if: fuseAvailable && geteuid() == 0, "needs root and /dev/fuse"))
struct FstabTests {
    private func withBucket(_ body: (MachineWithHelper, S3TestServer, [String]) throws -> Void) throws {
        try withS3TestServer { server in
            server.put("HCP/README", .text("read me"))
            try MachineWithHelper.with { machine in
                try body(machine, server, ["no_cache", "endpoint-url=\(server.endpointURL)"])
            }
        }
    }

    @Test("mounts once, and is unmounted by", arguments: [["umount"], ["umount", "-l"]])
    func mounts(unmount: [String]) throws {
        try withBucket { machine, server, options in
            try machine.mountsByTable(
                "s3://\(server.bucket)/HCP",
                ["ro", "_netdev", "nofail", "users", "allow_other", "comment=x", "x-systemd.automount"] + options)
            let mounted = try machine.run(["mount", "-T", machine.table, machine.mountPoint])
            #expect(mounted.status == 0 && mounted.output + mounted.errorOutput == "", "\(mounted)")
            #expect(try machine.runChecked(["cat", machine.mountPoint + "/README"]) == "read me")
            let shown = try machine.runChecked(["findmnt", "-no", "FSTYPE,SOURCE,OPTIONS", machine.mountPoint])
            #expect(shown.hasPrefix("fuse.tractfs s3://\(server.bucket)/HCP "))
            // "users" is noexec too (mount(8)).
            for option in ["ro,", "nosuid", "nodev", "noexec", "allow_other"] { #expect(shown.contains(option)) }
            let again = try machine.run(["mount", "-a", "-T", machine.table])
            #expect(again.status == 0 && again.errorOutput == "", "\(again)")
            #expect(machine.mountCount == 1)
            try machine.runChecked(unmount + [machine.mountPoint])
            #expect(machine.mountCount == 0)
            try eventually("the end of both processes") { processes(withArgument: machine.mountPoint).isEmpty }
        }
    }

    @Test func `without "ro" is mounted read-only all the same, and successors are what the first server was`() throws {
        try withBucket { machine, server, options in
            try machine.mountsByTable("s3://\(server.bucket)", ["defaults"] + options)
            let mounted = try machine.run(["mount", "-v", "-T", machine.table, machine.mountPoint])
            #expect(mounted.status == 0, "\(mounted)")
            #expect(mounted.output.contains("s3://\(server.bucket) is mounted on \(machine.mountPoint)"))
            #expect(try machine.runChecked(["findmnt", "-no", "OPTIONS", machine.mountPoint]).hasPrefix("ro,"))
            guard kernelIsAtLeast(6, 9) else { return }
            let before = try #require(MountProcesses(of: machine.mountPoint))
            kill(before.server, SIGKILL)
            #expect(try machine.runChecked(["cat", machine.mountPoint + "/HCP/README"]) == "read me")
            #expect(MountProcesses(of: machine.mountPoint)?.supervisor == before.supervisor)
        }
    }

    @Test(overlays) func `has an overlay`() throws {
        try withBucket { machine, server, options in
            let folder = machine.directory + "/with space"
            try TestSupport.runChecked("mkdir", [folder])
            for content in ["", "1\n"] {
                let written = options + ["rw", "nofail", "overlay=" + folder.replacing(" ", with: "\\040"), "uid=4711"]
                try machine.mountsByTable("s3://\(server.bucket)/HCP", written)
                let mounted = try machine.run(["mount", "-T", machine.table, machine.mountPoint])
                #expect(mounted.status == 0 && mounted.output + mounted.errorOutput == "", "\(mounted)")
                let script = "cat $0/new || true; echo 1 > $0/new; cat $0/README; stat -c %u $0/README"
                let seen = try machine.run(["bash", "-c", script, machine.mountPoint])
                #expect(seen.output == content + "read me4711\n")
                try machine.runChecked(["umount", machine.mountPoint])
                #expect(machine.mountCount == 0)
                try eventually("the end of both processes") { processes(withArgument: machine.mountPoint).isEmpty }
            }
        }
    }

    @Test(
        "of another FUSE type, as mount.fuse3 has them, mounts once",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/sbin/mount.fuse3"), "needs mount.fuse3"),
        arguments: [("", "tractfs"), ("", "fuse.tractfs"), ("tractfs#", "fuse")],
        ["defaults", "rw", "ro,nosuid,nodev", "noatime,_netdev,nofail,x-systemd.automount,comment=x,user"])
    func types(type: (prefix: String, name: String), given: String) throws {
        try withBucket { machine, server, options in
            let source = "s3://\(server.bucket)/HCP"
            try machine.mountsByTable(
                type.prefix + source, type: type.name, [given, "uid=4711", "allow_other"] + options)
            let mounted = try machine.run(["mount", "-T", machine.table, machine.mountPoint])
            #expect(mounted.status == 0 && mounted.output + mounted.errorOutput == "", "\(mounted)")
            let read = "cat $0/README; stat -c %u $0; touch $0/new 2>&1 | grep -o 'Read-only.*'"
            let seen = try machine.run(["bash", "-c", read, machine.mountPoint])
            #expect(seen.output == "read me4711\nRead-only file system\n")
            let shown = try machine.runChecked(["findmnt", "-no", "FSTYPE,SOURCE,OPTIONS", machine.mountPoint])
            #expect(shown.hasPrefix("fuse.tractfs \(source) ro,nosuid,nodev,"), "\(shown)")
            // mount(8) doesn't know a mount again whose source has "tractfs#" in front in the table only.
            let again = try machine.run(["mount", "-a", "-T", machine.table])
            let isKnown = type.prefix == ""
            #expect((again.status == 0) == isKnown, "\(again)")
            #expect(isKnown ? again.errorOutput == "" : again.errorOutput.contains("is mounted on"), "\(again)")
            #expect(machine.mountCount == 1)
            try machine.runChecked(["umount", machine.mountPoint])
            #expect(machine.mountCount == 0)
            try eventually("the end of both processes") { processes(withArgument: machine.mountPoint).isEmpty }
        }
    }

    @Test(
        "of another FUSE type says in a line what is wrong",
        .enabled(if: FileManager.default.isExecutableFile(atPath: "/sbin/mount.fuse3"), "needs mount.fuse3"),
        arguments: [("", "fuse.tractfs"), ("tractfs#", "fuse")])
    func mistakes(type: (prefix: String, name: String)) throws {
        try withBucket { machine, server, options in
            for (source, given, words) in [
                ("s3://\(server.bucket)", "cache_sise=1GiB", "-o cache_sise=1GiB: there is no such option"),
                ("S3://\(server.bucket)", "ro", "s3://\(server.bucket)?"),
            ] {
                try machine.mountsByTable(type.prefix + source, type: type.name, [given] + options)
                let wrong = try machine.run(["mount", "-T", machine.table, machine.mountPoint])
                #expect(wrong.status != 0 && wrong.errorOutput.contains(words), "\(wrong)")
                #expect(machine.mountCount == 0 && server.log.isEmpty)
            }
        }
    }

    @Test(.enabled(if: !FuseReadiness.hasSELinux, "needs a kernel without SELinux"))
    func `with an SELinux context where SELinux isn't enabled is refused in a line`() throws {
        let mount = [
            "mount", "s3://bucket", "/nonexistent", "--no-cache", "-o", #"context="system_u:object_r:x_t:s0:c1,c2""#,
        ]
        let refused = try run(tractfsExecutable(), mount, environment: environmentWithKeys)
        #expect(refused.status == 1)
        #expect(
            refused.errorOutput == "tractfs: --context: SELinux isn't enabled on this machine; leave the option out\n")
    }

    @Test func `is only tried with -f, and passes over unknown options with -s`() throws {
        try withBucket { machine, server, options in
            try machine.mountsByTable("s3://\(server.bucket)", ["ro", "cache_sise=1GiB"] + options)
            let wrong = try machine.run(["mount", "-f", "-T", machine.table, machine.mountPoint])
            #expect(wrong.status == 1, "\(wrong)")
            #expect(wrong.errorOutput.contains("-o cache_sise=1GiB: there is no such option"))
            #expect(try machine.run(["mount", "-f", "-s", "-T", machine.table, machine.mountPoint]).status == 0)
            #expect(machine.mountCount == 0 && server.log.isEmpty)
        }
    }

    @Test func `that can't be mounted says why, with mount(8)'s exit status`() throws {
        try withBucket { machine, server, options in
            server.script(.any, .refuse(.accessDenied))
            try machine.mountsByTable("s3://\(server.bucket)", options)
            let refused = try machine.run(["mount", "-T", machine.table, machine.mountPoint])
            #expect(refused.status == 32 && refused.errorOutput.contains("AccessDenied"), "\(refused)")
            #expect(refused.errorOutput.split(separator: "\n").count == 1)
            #expect(machine.mountCount == 0)
        }
    }
}

@Suite("The mount helper") struct MountHelperTests {
    @Test(
        "takes mount(8)'s arguments",
        arguments: [
            (["s3://b", "/m"], ["mount", "s3://b", "/m"]),
            (["s3://b", "/m", "-o", "rw"], ["mount", "s3://b", "/m"]),
            (["s3://b", "/m", "-sfnv", "-o", "rw,uid=1", "-t", "tractfs"], ["mount", "--uid=1", "s3://b", "/m"]),
            (["-n", "-oro,uid=1", "s3://b", "-ogid=2", "/m"], ["mount", "--uid=1", "--gid=2", "s3://b", "/m"]),
            (["b/p", "/m", "-o", "rw"], ["mount", "b/p", "/m"]),
        ])
    func arguments(given: [String], expected: [String]) throws {
        #expect(try MountHelper(given).arguments() == expected)
    }

    @Test(
        "says what is wrong with",
        arguments: [
            ([], "is called by mount(8)"), (["s3://b"], "is called by mount(8)"),
            (["s3://b", "/m", "/n"], "is called by mount(8)"), (["--help"], "tractfs mount --help"),
            (["s3://b", "/m", "-x"], "-x is no option"), (["s3://b", "/m", "-o"], "-o needs a value"),
            (["s3://b", "/m", "-N", "1"], "nsenter"),
            (["s3://b", "/m", "-oprofil=x"], "-o profil=x: there is no such"),
        ])
    func mistakes(given: [String], words: String) throws {
        #expect { try MountHelper(given).arguments() } throws: { "\($0)".contains(words) }
    }

    @Test(
        "has of fstab's options",
        arguments: [
            ("ro,relatime,user=me,comment=a b,X-mount.mkdir,x-a=b", []), ("noexec,exec", ["--noexec"]),
            ("log_format=json", ["--log-format=json"]), ("_netdev,nofail,retry=2m", ["--retry=2m"]),
            ("rw,overlay=/x", ["--overlay=/x"]),
            ("dev,suid,strictatime,lazytime,nofail", []),
            (
                #"context="system_u:object_r:x_t:s0:c1,c2",uid=1"#,
                ["--context=system_u:object_r:x_t:s0:c1,c2", "--uid=1"]
            ),
            ("fscontext=u:r:t,rootcontext=u:r:t", ["--fscontext=u:r:t", "--rootcontext=u:r:t"]),
        ])
    func options(list: String, expected: [String]) throws {
        #expect(try FstabOptions.expand(["mount", "-o", list], options: .ofMount) == ["mount"] + expected)
    }

    @Test(
        "leaves out \"mount\" as mount.fuse3 does, which says \"rw\" by itself",
        arguments: [
            (["s3://b/p", "/m"], ["mount", "s3://b/p", "/m"]),
            (["s3://b", "/m", "-o", "rw,uid=1,dev,suid"], ["mount", "--uid=1", "s3://b", "/m"]),
            (["s3://b", "/m", "-orw,nofail,x-a=b,nosuid", "--gid", "2"], ["mount", "s3://b", "/m", "--gid", "2"]),
            (["mount", "s3://b", "/m"], ["mount", "s3://b", "/m"]), (["status", "/m:x"], ["status", "/m:x"]),
        ])
    func short(given: [String], expected: [String]) throws {
        #expect(try FstabOptions.expand(given, options: .ofMount) == expected)
    }

    @Test("doesn't take", arguments: ["remount", "user_id=1", "context"])
    func wrongOptions(list: String) {
        #expect { try FstabOptions.expand(["mount", "-o", list], options: .ofMount) } throws: { "\($0)".contains(list) }
    }
}
