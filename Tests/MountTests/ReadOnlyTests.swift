import Glibc
import ObjectStore
import TestSupport
import Testing

import struct SystemPackage.Errno

/// Reading a mount: writes fail, refusals of S3 are errors, and trouble that a retry can solve is invisible.
@Suite(.serialized, mounts) struct ReadOnlyTests {
    /// A system call that would change something; the argument is a folder of the mount that holds `file` and `folder`.
    static let changes: [(name: String, call: @Sendable (String) -> CInt)] = [
        ("open O_WRONLY", { open($0 + "/file", O_WRONLY) }),
        ("open O_RDWR", { open($0 + "/file", O_RDWR) }),
        ("open O_TRUNC", { open($0 + "/file", O_WRONLY | O_TRUNC) }),
        ("open O_APPEND", { open($0 + "/file", O_WRONLY | O_APPEND) }),
        ("creat", { creat($0 + "/new", 0o644) }),
        ("truncate", { truncate($0 + "/file", 1) }),
        ("utimes", { utimes($0 + "/file", nil) }),
        ("mkdir", { mkdir($0 + "/new", 0o755) }),
        ("rmdir", { rmdir($0 + "/folder") }),
        ("unlink", { unlink($0 + "/file") }),
        ("chmod", { chmod($0 + "/file", 0o600) }),
        ("chown", { chown($0 + "/file", 1, 1) }),
        ("rename", { rename($0 + "/file", $0 + "/new") }),
        ("link", { link($0 + "/file", $0 + "/new") }),
        ("symlink", { symlink("file", $0 + "/new") }),
        ("mkfifo", { mkfifo($0 + "/new", 0o644) }),
    ]

    /// Commands of users, run in such a folder.
    static let commands = [
        "echo x > file", "echo x >> file", "echo x > new", "touch file", "touch new", "mkdir new", "rm -f file",
        "rm -r folder", "rmdir folder", "chmod 600 file", "chown 1 file", "mv file new", "mv file folder/",
        "ln file new", "ln -s file new", "truncate -s 1 file", "cp file new", "sed -i s/a/b/ file",
        "python3 -c 'import os; os.setxattr(\"file\", \"user.a\", b\"b\")'",
    ]

    @Test func `Every change of a mount is EROFS`() throws {
        try withS3TestServer { server in
            server.put("file", .text("content"))
            server.put("folder/file", .text("content"))
            try withMount(of: server) { mountPoint in
                for (name, call) in Self.changes {
                    let result = call(mountPoint)
                    #expect(result == -1 && Errno(rawValue: Glibc.errno) == .readOnlyFileSystem, "\(name)")
                }
                for command in Self.commands {
                    let result = try run("bash", ["-c", command], environment: ["LC_ALL": "C"], directory: mountPoint)
                    #expect(result.status != 0 && result.errorOutput.contains("Read-only file system"), "\(command)")
                }
                try runChecked("mkdir", ["-p", mountPoint + "/folder"])
                #expect(try runChecked("cat", [mountPoint + "/file"]) == "content")
                #expect(server.log.allSatisfy { [.list, .get].contains($0.request.kind) })
            }
        }
    }

    @Test func `A folder that may not be listed is EACCES, and the others work`() throws {
        try withS3TestServer { server in
            for key: Key in ["open/file", "secret/file", "z"] { server.put(key, .text("content")) }
            server.script(.below("secret/"), .refuse(.accessDenied))
            // A policy that lets all users list the root without a delimiter shows the contents of the folder, too.
            server.script(S3Matcher { $0.listing?.isDelimited == false }, .refuse(.accessDenied))
            try withMount(of: server) { mountPoint in
                let result = try run("find", ["."], environment: ["LC_ALL": "C"], directory: mountPoint)
                #expect(Set(result.output.split(separator: "\n")) == [".", "./open", "./open/file", "./secret", "./z"])
                #expect(result.status == 1 && result.errorOutput == "find: './secret': Permission denied\n")
                #expect(errno { try withOpenFile(mountPoint + "/secret/file") { _ in } } == .permissionDenied)
                #expect(try runChecked("cat", [mountPoint + "/open/file", mountPoint + "/z"]) == "contentcontent")
            }
        }
    }

    @Test func `An object that may not be read is EACCES, and the others work`() throws {
        try withS3TestServer { server in
            for key: Key in ["open", "secret"] { server.put(key, .text("content")) }
            server.script(.get("secret"), .refuse(.accessDenied))
            try withMount(of: server) { mountPoint throws in
                // The open fails if it fetches the file, and otherwise the read.
                let error = errno { try withOpenFile(mountPoint + "/secret") { try $0.bytes(in: 0..<7) } }
                #expect(error == .permissionDenied)
                let content = try runChecked("cat", [mountPoint + "/open"])
                #expect(content == "content")
            }
        }
    }

    /// Faults that readers must not notice.
    private static let troubles: [S3Action] = [
        .refuse(.slowDown), .refuse(.internalError), .damage(.close), .damage(.reset),
        .damage(.closeAfter(byteCount: 100_000)),
    ]

    @Test func `A part with a shorter Content-Length than requested is requested again`() throws {
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: 1 << 20)
            server.put("file", body)
            try withMount(of: server) { mountPoint in
                server.script(.gets, .damage(.shorten(byteCount: 50_000)), count: 2)
                let read = try withOpenFile(mountPoint + "/file") { try $0.bytes(in: 0..<body.byteCount) }
                expectSame(read, body.allBytes)
            }
        }
    }

    @Test(arguments: troubles)
    func `Trouble that ends before the deadline is not visible`(trouble: S3Action) throws {
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: 9 << 20)
            server.put("folder/file", body)
            try withMount(of: server) { mountPoint in
                server.script(.gets, trouble, count: 3)
                server.script(.lists, trouble, count: 2)
                #expect(try runChecked("ls", [mountPoint + "/folder"]) == "file\n")
                let read = try withOpenFile(mountPoint + "/folder/file") { try $0.bytes(in: 0..<body.byteCount + 1) }
                expectSame(read, body.allBytes)
            }
        }
    }

    @Test(arguments: ["cat", "ls"])
    func `Ctrl-C ends a command that waits for a silent server`(command: String) throws {
        try withS3TestServer { server in
            server.put("folder/file", try .random(byteCount: 3 << 20))
            try withMount(of: server) { mountPoint in
                let path = mountPoint + (command == "cat" ? "/folder/file" : "/folder")
                if command == "cat" {
                    try runChecked("ls", [mountPoint + "/folder"])
                    server.script(.gets, .linger(.stallAfter(byteCount: 100_000)))
                } else {
                    server.script(.list("folder/"), .linger(.stall))
                }
                server.clearLog()
                try withTemporaryDirectory { directory in
                    let process = try BackgroundProcess(command, [path], outputDirectory: directory)
                    defer { kill(process.processID, SIGKILL) }
                    try eventually("the request that stalls") {
                        server.log.contains { $0.request.key.hasPrefix("folder/") }
                    }
                    kill(process.processID, SIGINT)
                    // The deadline of a read is a minute.
                    try process.waitForEnd(timeout: .seconds(10))
                    #expect(process.status == -SIGINT)
                }
            }
        }
    }

    @Test func `A file of 5 GiB is read right around 2 and 4 GiB and at its end`() throws {
        let body = ObjectBody.pattern(seed: 5, byteCount: 5 << 30 | 7)
        try withS3TestServer { server in
            server.put("file", body)
            try withMount(of: server) { mountPoint in
                #expect(try runChecked("stat", ["-c", "%s", mountPoint + "/file"]) == "\(body.byteCount)\n")
                try withOpenFile(mountPoint + "/file") { file in
                    for middle in [1 << 31, 1 << 32, body.byteCount - 5_000] {
                        let range = middle - 5_000..<middle + 5_000
                        expectSame(try file.bytes(in: range), body.bytes(in: range))
                    }
                    let end = body.byteCount
                    expectSame(try file.bytes(in: end - 3..<end + 100), body.bytes(in: end - 3..<end))
                    expectSame(try file.bytes(in: end..<end + 100), [])
                }
            }
        }
    }
}
