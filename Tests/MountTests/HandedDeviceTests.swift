import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

import struct SystemPackage.Errno

/// A /dev/fuse that another program has mounted, served by `tractfs mount s3://… /dev/fd/N`.
@Suite(.serialized, mounts, .enabled(if: fuseAvailable && geteuid() == 0, "needs /dev/fuse, and mount(2)"))
struct HandedDeviceTests {
    /// A program that mounts, and what it mounts on.
    private struct Mounter {
        let server: S3TestServer
        let directory: String
        var mountPoint: String { directory + "/mount" }
        /// The argument that identifies the processes of this mount.
        var logPath: String { directory + "/log" }

        /// The command of a program that mounts by itself and then runs tractfs.
        func command(_ how: String = "mounted", mountOptions: String, options: [String]) throws -> [String] {
            let script = packageRoot + "/Tests/MountTests/hand_device.py"
            return ["python3", script, how, mountPoint, mountOptions]
                + [try tractfsExecutable(), "mount", "s3://\(server.bucket)", "/dev/fd/N"]
                + ["--endpoint-url", server.endpointURL, "--no-cache", "--log-file", logPath] + options
        }

        func run(
            _ how: String = "mounted", mountOptions: String = "", options: [String] = []
        ) throws -> CommandResult {
            let command = try command(how, mountOptions: mountOptions, options: options)
            return try TestSupport.run(command[0], Array(command.dropFirst()), environment: environmentWithKeys)
        }

        var processIDs: [Int32] { processes(withArgument: logPath) }
    }

    /// Calls `body` with a program that may mount; whatever it does, nothing stays.
    private func withMounter(_ body: (Mounter) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            chmod(directory, 0o755)
            try withS3TestServer { server in
                let mounter = Mounter(server: server, directory: directory)
                try FileManager.default.createDirectory(
                    atPath: mounter.mountPoint, withIntermediateDirectories: false)
                let result = Result { try body(mounter) }
                if isMounted(mounter.mountPoint) { umount2(mounter.mountPoint, CInt(MNT_DETACH)) }
                try eventually("the end of the processes that served the mount") { mounter.processIDs.isEmpty }
                try result.get()
            }
        }
    }

    @Test(arguments: ["", "allow_other", "default_permissions,allow_other"])
    func `A mount that its mounter made writable is read, and every change is EROFS`(mountOptions: String) throws {
        try withMounter { mounter in
            mounter.server.put("file", .text("content"))
            mounter.server.put("folder/file", .text("content"))
            let start = try mounter.run(mountOptions: mountOptions)
            #expect(start.status == 0, "\(start.errorOutput)")
            let mountPoint = mounter.mountPoint
            #expect(try runChecked("ls", [mountPoint]) == "file\nfolder\n")
            #expect(try runChecked("cat", [mountPoint + "/folder/file"]) == "content")
            for (name, call) in ReadOnlyTests.changes {
                let result = call(mountPoint)
                #expect(result == -1 && Errno(rawValue: Glibc.errno) == .readOnlyFileSystem, "\(name)")
            }
            #expect(open(mountPoint + "/file", O_RDONLY | O_TRUNC) == -1)
            #expect(Errno(rawValue: Glibc.errno) == .readOnlyFileSystem)
            // With default_permissions the kernel answers by the permissions alone.
            if !mountOptions.contains("default_permissions") {
                #expect(access(mountPoint + "/file", W_OK) == -1)
                #expect(Errno(rawValue: Glibc.errno) == .readOnlyFileSystem)
            }
            for command in ReadOnlyTests.commands {
                let result = try run("bash", ["-c", command], environment: ["LC_ALL": "C"], directory: mountPoint)
                #expect(result.status != 0 && result.errorOutput.contains("Read-only file system"), "\(command)")
            }
            #expect(try runChecked("cat", [mountPoint + "/file"]) == "content")
        }
    }

    /// A command, and the users that are allowed to run it: the owner, a member of the group, another user, root.
    struct Use: CustomTestStringConvertible {
        let command: String
        let mayDo: [Bool]
        var testDescription: String { command }
    }

    /// Files are 0640 and folders 0750, but for those of `executed`.
    private static let uses = [
        Use(command: "cat folder/file", mayDo: [true, true, false, true]),
        Use(command: "stat folder/file", mayDo: [true, true, false, true]),
        Use(command: "ls .", mayDo: [true, true, false, true]),
        Use(command: "cd folder", mayDo: [true, true, false, true]),
        Use(command: "test -r file", mayDo: [true, true, false, true]),
        Use(command: "test -x file", mayDo: [false, false, false, false]),
        Use(command: "getfattr --only-values -n user.s3.key file", mayDo: [true, true, false, true]),
    ]
    private static let executed = [
        Use(command: "./program", mayDo: [true, false, true, true]),
        Use(command: "cat program", mayDo: [true, true, false, true]),
        Use(command: "test -x program", mayDo: [true, false, true, true]),
    ]

    @Test(arguments: ["allow_other", "allow_other,default_permissions"])
    func `Permissions hold for each user, whichever has asked before`(mountOptions: String) throws {
        try check(Self.uses, mountOptions, ["--file-mode", "0640", "--dir-mode", "0750", "--xattrs"])
        try check(Self.executed, mountOptions, ["--file-mode", "0741", "--dir-mode", "0755"])
    }

    private func check(_ uses: [Use], _ mountOptions: String, _ options: [String]) throws {
        let (user, group) = (12_345, 23_456)
        let users = [
            ["--reuid=\(user)", "--regid=1", "--clear-groups"],
            ["--reuid=4", "--regid=4", "--groups=5,\(group),6"],
            ["--reuid=4", "--regid=4", "--groups=5,6"],
            ["--reuid=0", "--regid=0", "--clear-groups"],
        ]
        try withMounter { mounter in
            mounter.server.put("file", .text("content"))
            mounter.server.put("folder/file", .text("content"))
            mounter.server.put("program", .bytes(Array(try Data(contentsOf: URL(fileURLWithPath: "/bin/true")))))
            let start = try mounter.run(
                mountOptions: mountOptions, options: options + ["--uid", "\(user)", "--gid", "\(group)"])
            #expect(start.status == 0, "\(start.errorOutput)")
            try runChecked("ls", ["-lR", mounter.mountPoint])
            for use in uses {
                for (user, mayDo) in zip(users, use.mayDo) {
                    let script = "cd \(mounter.mountPoint) && \(use.command)"
                    let result = try run("setpriv", user + ["--", "sh", "-c", script], environment: ["LC_ALL": "C"])
                    #expect((result.status == 0) == mayDo, "\(use.command) by \(user[0]): \(result.errorOutput)")
                }
            }
        }
    }

    @Test(arguments: ["mounted", "nonblocking"], ["", "max_read=4096", "max_read=65536", "max_read=4194304"])
    func `Reads are as long as the mounter's options let them be`(how: String, mountOptions: String) throws {
        try withMounter { mounter in
            let body = try ObjectBody.random(byteCount: 3 << 20 | 5)
            mounter.server.put("file", body)
            #expect(try mounter.run(how, mountOptions: mountOptions).status == 0)
            let read = try withOpenFile(mounter.mountPoint + "/file") { try $0.bytes(in: 0..<body.byteCount + 1) }
            expectSame(read, body.allBytes)
            let direct = try runChecked(
                "sh", ["-c", "dd if=\"$0\" iflag=direct bs=2M | md5sum", mounter.mountPoint + "/file"])
            #expect(direct == (try runChecked("sh", ["-c", "md5sum < \"$0\"", mounter.mountPoint + "/file"])))
        }
    }

    @Test func `The command in the foreground ends when the mounter unmounts`() throws {
        try withMounter { mounter in
            mounter.server.put("file", .text("content"))
            let command = try mounter.command(mountOptions: "", options: ["--foreground"])
            let process = try BackgroundProcess(
                command[0], Array(command.dropFirst()), environment: environmentWithKeys,
                outputDirectory: mounter.directory)
            defer { process.end() }
            try eventually("the mount") { isMounted(mounter.mountPoint) }
            #expect(try runChecked("cat", [mounter.mountPoint + "/file"]) == "content")
            #expect(umount2(mounter.mountPoint, 0) == 0)
            try process.waitForEnd(timeout: .seconds(30))
            #expect(process.status == 0, "\(process.errorOutput)")
        }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `A signal ends the processes, and leaves the mount to its mounter`(signal: Int32) throws {
        try withMounter { mounter in
            mounter.server.put("file", .text("content"))
            #expect(try mounter.run().status == 0)
            for processID in mounter.processIDs { kill(processID, signal) }
            try eventually("the end of the processes") { mounter.processIDs.isEmpty }
            #expect(isMounted(mounter.mountPoint))
            let error = errno { try withOpenFile(mounter.mountPoint + "/file") { _ in } }
            #expect([Errno(rawValue: ENOTCONN), Errno(rawValue: ECONNABORTED)].contains(error))
        }
    }

    @Test func `A server that is killed has a successor, which refuses changes too`() throws {
        try withMounter { mounter in
            mounter.server.put("file", .text("content"))
            #expect(try mounter.run().status == 0)
            let before = try #require(Supervisor(of: mounter))
            kill(before.server, SIGKILL)
            #expect(try runChecked("cat", [mounter.mountPoint + "/file"]) == "content")
            #expect(mkdir(mounter.mountPoint + "/new", 0o755) == -1)
            #expect(Errno(rawValue: Glibc.errno) == .readOnlyFileSystem)
            let status = try runChecked(tractfsExecutable(), ["status", mounter.mountPoint])
            #expect(status.contains("(generation 2)"))
        }
    }

    /// The process that serves a mount, which is the supervisor's child.
    private struct Supervisor {
        let server: Int32

        init?(of mounter: Mounter) {
            let all = mounter.processIDs
            let children = all.filter { processID in
                let status = FileManager.default.contents(atPath: "/proc/\(processID)/status") ?? Data()
                return String(decoding: status, as: UTF8.self).split(separator: "\n")
                    .first { $0.hasPrefix("PPid:") }
                    .flatMap { Int32($0.dropFirst(5).trimmingCharacters(in: .whitespaces)) }.map(all.contains) ?? false
            }
            guard children.count == 1 else { return nil }
            server = children[0]
        }
    }

    /// A file that can't be served, and the words of the message.
    private static let refusals: [(how: String, options: [String], words: String)] = [
        ("unmounted", [], "is not mounted yet: mount it first, then start tractfs"),
        ("ended", [], "has ended: mount again, and hand on the new file"),
        ("null", [], "is not /dev/fuse: hand on the file that was mounted, or name an empty folder"),
        ("mounted", ["--overlay", "/tmp"], "--overlay: /dev/fd/"),
        ("mounted", ["--noexec"], "--noexec: /dev/fd/"),
    ]

    @Test(arguments: refusals.indices, [[], ["--foreground"]])
    func `A file that can't be served is refused with a reason`(index: Int, more: [String]) throws {
        let (how, options, words) = Self.refusals[index]
        try withMounter { mounter in
            mounter.server.put("file", .text("content"))
            let result = try mounter.run(how, options: options + more)
            #expect(result.status == 1)
            #expect(result.output.isEmpty)
            #expect(result.errorOutput.hasPrefix("tractfs: ") && result.errorOutput.contains(words))
            #expect(result.errorOutput.split(separator: "\n").count == 1, "\(result.errorOutput)")
        }
    }

    @Test func `A mount that is served already is refused with a reason`() throws {
        try withMounter { mounter in
            mounter.server.put("file", .text("content"))
            var command = try mounter.command(mountOptions: "", options: [])
            // Twice, one after the other, for the same open file.
            let tractfs = command.dropFirst(5)
            command = command.prefix(5) + ["sh", "-c", "\"$@\" && \"$@\"", "sh"] + tractfs
            let result = try run(command[0], Array(command.dropFirst()), environment: environmentWithKeys)
            #expect(result.status == 1)
            #expect(result.errorOutput.contains("another program has begun to serve the mount of /dev/fd/"))
            #expect(try runChecked("cat", [mounter.mountPoint + "/file"]) == "content", "the first one goes on")
        }
    }

    @Test(arguments: ["/dev/fd/999", "/dev/fd/1000000"])
    func `A file that is not open is refused with a reason`(mountPoint: String) throws {
        let result = try run(
            tractfsExecutable(), ["mount", "s3://bucket", mountPoint], environment: environmentWithKeys)
        #expect(result.status == 1)
        #expect(result.errorOutput.contains("\(mountPoint) is not open: the program that starts tractfs must hand on"))
    }
}
