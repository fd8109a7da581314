import Foundation
import ObjectStore
import TestSupport
import Testing

/// `tractfs warm` that fetches files.
@Suite(mounts) struct WarmTests {
    private func warm(_ arguments: [String]) throws -> CommandResult {
        try run(tractfsExecutable(), ["warm"] + arguments, timeout: .seconds(60))
    }

    private func warm(_ arguments: String...) throws -> CommandResult { try warm(arguments) }

    /// A subject's folder: a big file, some small ones, an empty one, and one of another kind.
    private static let bodies: [Key: ObjectBody] = [
        "sub/T1w/big.nii.gz": .pattern(seed: 1, byteCount: 20 << 20),
        "sub/T1w/one.nii.gz": .pattern(seed: 2, byteCount: 300_000),
        "sub/two.nii.gz": .pattern(seed: 3, byteCount: 1 << 20),
        "sub/empty": .bytes([]),
        "sub/notes.txt": .text("notes"),
        "other/file": .text("other"),
    ]

    private static var subjectByteCount: Int {
        bodies.filter { $0.key.hasPrefix("sub/") }.reduce(0) { $0 + $1.value.byteCount }
    }

    /// A mount of these, with its cache.
    private func withSubject(
        options: [String] = [], _ body: (S3TestServer, String, TestCache) throws -> Void
    ) throws {
        try withS3TestServer { server in
            server.put(Self.bodies)
            try withTemporaryDirectory { directory in
                let cache = TestCache(path: directory + "/cache")
                try withMount(of: server, options: cache.options + options) { try body(server, $0, cache) }
            }
        }
    }

    private func sentByteCount(_ server: S3TestServer) -> Int {
        Self.bodies.keys.reduce(0) { $0 + server.distinctSentByteCount(of: $1) }
    }

    @Test func `tractfs warm brings all files of a folder to the cache, each byte once, and later none`() throws {
        try withSubject { server, mountPoint, cache in
            let result = try warm(mountPoint + "/sub")
            #expect(result.status == 0 && result.errorOutput == "")
            let lines = result.output.split(separator: "\n")
            #expect(lines.count == 2)
            #expect(
                lines.first?.hasPrefix(
                    "\(mountPoint)/sub: 5 files, 21MiB: 0B are in the cache, 21MiB to fetch; the cache can hold ")
                    == true)
            #expect(lines.last?.hasPrefix("\(mountPoint)/sub: 21MiB fetched in ") == true)
            #expect(lines.last?.hasSuffix("; 5 files are in the cache") == true)
            #expect(sentByteCount(server) == Self.subjectByteCount)
            // Three GETs for the big file, and one for each other.
            #expect(server.requests(.get).count - server.repeatedGetCount == 6)
            #expect(server.requests(.list).count <= 4)
            for key in Self.bodies.keys where key.hasPrefix("sub/") && key != "sub/empty" {
                #expect(cache.isComplete(key))
            }
            #expect(!cache.isComplete("other/file"))
            server.clearLog()
            let again = try warm(mountPoint + "/sub")
            #expect(again.status == 0)
            #expect(again.output.contains("5 files, 21MiB: all in the cache; "))
            #expect(again.output.contains("nothing to fetch; 5 files are in the cache"))
            for (key, body) in Self.bodies where key.hasPrefix("sub/") {
                try checkWhole("\(mountPoint)/\(key)", body)
            }
            #expect(server.requests(.get).isEmpty)
        }
    }

    @Test func `tractfs warm takes files and patterns, each file once`() throws {
        try withSubject { server, mountPoint, cache in
            let result = try warm(
                mountPoint + "/sub", mountPoint + "/sub/two.nii.gz", "--include", "*.nii.gz", "--exclude", "T1w/b*")
            #expect(result.status == 0)
            #expect(result.output.contains(": 2 files, "))
            #expect(cache.isComplete("sub/two.nii.gz") && cache.isComplete("sub/T1w/one.nii.gz"))
            #expect(server.requests(.get).count == 2)
            let file = try warm(mountPoint + "/sub/notes.txt")
            #expect(file.status == 0 && file.output.contains("1 file is in the cache"))
            #expect(cache.isComplete("sub/notes.txt") && !cache.isComplete("sub/T1w/big.nii.gz"))
        }
    }

    @Test func `tractfs warm --dry-run says what it would do, and fetches no byte`() throws {
        try withSubject { server, mountPoint, cache in
            let result = try warm("--dry-run", mountPoint + "/sub")
            #expect(result.status == 0)
            #expect(result.output.contains("5 files, 21MiB: 0B are in the cache, 21MiB to fetch"))
            #expect(server.requests(.get).isEmpty)
            #expect(cache.indexFile(of: "sub/two.nii.gz") == nil)
        }
    }

    @Test func `tractfs warm does nothing if the files do not fit`() throws {
        try withSubject(options: ["--cache-size", "64MiB"]) { server, mountPoint, _ in
            server.put("sub/huge", .pattern(seed: 4, byteCount: 60 << 20))
            for arguments in [[], ["--dry-run"], ["--keep"]] {
                let result = try warm(arguments + [mountPoint + "/sub"])
                #expect(result.status == 1)
                #expect(result.errorOutput.contains("don't fit into the cache: it can "))
                #expect(result.errorOutput.contains("of its 64MiB; mount with --cache-size 1GiB, or choose less"))
            }
            #expect(server.requests(.get).isEmpty)
        }
    }

    @Test func `tractfs warm continues after Ctrl-C, and fetches nothing a second time`() throws {
        try withSubject { server, mountPoint, _ in
            server.setBandwidth(overall: 4 << 20)
            try withTemporaryDirectory { directory in
                let process = try BackgroundProcess(
                    tractfsExecutable(), ["warm", "--parallel", "1", mountPoint + "/sub"], outputDirectory: directory)
                defer { process.end() }
                try eventually("a part of the big file") { server.requests(.get).count >= 2 }
                kill(process.processID, SIGINT)
                try process.waitForEnd(timeout: .seconds(30))
                #expect(process.status == 130)
                #expect(process.errorOutput.contains("interrupted, "))
                #expect(process.errorOutput.contains("the same command goes on from there"))
            }
            // The requests in flight end, or are cancelled.
            try eventually("the mount to have noticed") { server.log.allSatisfy { $0.status != nil } }
            let sent = sentByteCount(server)
            #expect(sent < Self.subjectByteCount)
            server.setBandwidth()
            let result = try warm(mountPoint + "/sub")
            #expect(result.status == 0)
            #expect(sentByteCount(server) == Self.subjectByteCount)
            try checkWhole("\(mountPoint)/sub/T1w/big.nii.gz", #require(Self.bodies["sub/T1w/big.nii.gz"]))
        }
    }

    @Test func `tractfs warm --verify checks the cached files, and fetches damaged ones again`() throws {
        try withSubject { server, mountPoint, cache in
            try #expect(warm(mountPoint + "/sub").status == 0)
            let file = try FileHandle(
                forUpdating: URL(fileURLWithPath: #require(cache.dataFile(of: "sub/T1w/big.nii.gz"))))
            try file.seek(toOffset: 9 << 20)
            try file.write(contentsOf: [0x55, 0xaa, 0x55])
            try file.close()
            // A new mount has nothing in memory.
            try withMount(of: server, options: cache.options) { mountPoint in
                let result = try warm("--verify", mountPoint + "/sub")
                #expect(result.status == 0, "\(result.errorOutput)")
                #expect(result.output.contains("; 1 damaged block fetched again; 5 files are in the cache"))
                #expect(Set(server.requests(.get).map(\.request.key)) == ["sub/T1w/big.nii.gz"])
                #expect(cache.isComplete("sub/T1w/big.nii.gz"))
                try checkWhole("\(mountPoint)/sub/T1w/big.nii.gz", #require(Self.bodies["sub/T1w/big.nii.gz"]))
            }
        }
    }

    @Test func `tractfs warm reports the files that fail, and warms the others`() throws {
        try withSubject { server, mountPoint, cache in
            server.script(.get("sub/two.nii.gz"), .refuse(.accessDenied))
            let result = try warm(mountPoint + "/sub")
            #expect(result.status == 1)
            let lines = result.errorOutput.split(separator: "\n")
            #expect(lines.count == 1)
            #expect(lines.first?.hasPrefix("tractfs: \(mountPoint)/sub/two.nii.gz: ") == true)
            #expect(result.errorOutput.contains("AccessDenied"))
            #expect(result.output.contains("; 1 file failed: run it again to go on"))
            #expect(cache.isComplete("sub/T1w/big.nii.gz"))
            server.clearScripts()
            // A version that was overwritten is another case.
            server.put("sub/two.nii.gz", .text("changed"))
            let stale = try warm(mountPoint + "/sub/two.nii.gz")
            #expect(stale.status == 1 && stale.errorOutput.contains("sub/two.nii.gz: "))
            try #expect(run(tractfsExecutable(), ["refresh", mountPoint + "/sub"]).status == 0)
            try #expect(warm(mountPoint + "/sub").status == 0)
        }
    }

    @Test func `tractfs warm --keep pins files until they are released, whatever is read`() throws {
        try withSubject(options: ["--cache-size", "64MiB"]) { server, mountPoint, cache in
            let result = try warm("--keep", mountPoint + "/sub")
            #expect(result.status == 0 && result.output.contains("; 5 files are kept"))
            func list(_ arguments: String...) throws -> String {
                try runChecked(tractfsExecutable(), ["cache", "list"] + cache.options + arguments)
            }
            try #expect(list().contains("complete, kept"))
            try #expect(list().contains("4 objects (4 complete, 4 kept)"))
            try #expect(list("--json").contains(#""complete": true, "kept": true"#))
            for index in 0..<3 {
                let body = ObjectBody.pattern(seed: UInt64(index), byteCount: 30 << 20)
                server.put(Key("more/\(index)"), body)
                try runChecked(tractfsExecutable(), ["refresh", mountPoint])
                try runChecked("cksum", ["\(mountPoint)/more/\(index)"])
            }
            for key in Self.bodies.keys where key.hasPrefix("sub/") && key != "sub/empty" {
                #expect(cache.isComplete(key))
            }
            // It counts against the space of other pins.
            let more = try warm("--keep", mountPoint + "/more")
            #expect(more.status == 1 && more.errorOutput.contains(", beside 21MiB that are kept; "))
            try #expect(
                warm("--release", mountPoint + "/sub/two.nii.gz").output.contains("two.nii.gz: 1 file released, "))
            try #expect(warm("--release", mountPoint + "/sub").output.contains("/sub: 3 files released, "))
            try #expect(warm("--release", mountPoint).output == "\(mountPoint): nothing was kept\n")
            try #expect(!list().contains("kept"))
            try #expect(warm("--keep", mountPoint + "/sub/notes.txt").status == 0)
            let cleared = try runChecked(tractfsExecutable(), ["cache", "clear"] + cache.options)
            #expect(cleared.contains("(1 kept by tractfs warm)"))
        }
    }

    @Test(arguments: [
        (["--metadata", "--verify"], "--verify: with --metadata no file is fetched"),
        (["--metadata", "--keep"], "--keep: with --metadata no file is fetched"),
        (["--release", "--keep"], "--keep: with --release all that is kept"),
        (["--release", "--include", "*"], "--include: with --release all that is kept"),
        (["--dry-run", "--verify"], "--verify: with --dry-run nothing is checked"),
        (["--parallel", "0"], "--parallel 0: give a number from 1 to 64"),
        (["--parallel", "65"], "--parallel 65: give a number from 1 to 64"),
    ])
    func `tractfs warm refuses options that exclude each other`(arguments: [String], message: String) throws {
        let result = try warm(arguments + ["/tmp"])
        #expect(result.status == 64 && result.errorOutput.contains(message))
    }

    @Test func `tractfs warm reports the paths that fail, and warms the others`() throws {
        try withSubject { _, mountPoint, cache in
            let result = try warm("/tmp", "", mountPoint + "/nothing", mountPoint + "/sub/notes.txt")
            #expect(result.status == 1)
            #expect(
                result.errorOutput == """
                    tractfs: a path is empty; give a folder or a file in a mount
                    tractfs: \(mountPoint)/nothing: No such file or directory
                    tractfs: /tmp is not in a tractfs mount, or in one that another version serves

                    """)
            #expect(cache.isComplete("sub/notes.txt"))
            let none = try warm("--include", "*.mgz", mountPoint + "/sub")
            #expect(none.status == 1)
            #expect(none.errorOutput == "tractfs: no file in \(mountPoint)/sub matches\n")
        }
    }

    @Test func `tractfs warm says that the mount has no cache`() throws {
        try withS3TestServer { server in
            server.put("file", .text("x"))
            try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                for arguments in [[], ["--keep"], ["--release"], ["--dry-run"]] {
                    let result = try warm(arguments + [mountPoint])
                    #expect(result.status == 1)
                    #expect(result.errorOutput.hasPrefix("tractfs: \(mountPoint): the mount has no disk cache; "))
                }
                #expect(server.requests(.get).isEmpty)
            }
        }
    }
}

@Suite(.serialized, takeoverAvailable) struct WarmTakeoverTests {
    @Test func `tractfs warm completes though the serving process is killed`() throws {
        try withS3TestServer { server in
            let bodies = (0..<8).map { ObjectBody.pattern(seed: UInt64($0), byteCount: 6 << 20) }
            for (index, body) in bodies.enumerated() { server.put(Key("file\(index)"), body) }
            try withKilledMount(of: server) { mount in
                server.setBandwidth(overall: 12 << 20)
                try withTemporaryDirectory { directory in
                    let process = try BackgroundProcess(
                        tractfsExecutable(), ["warm", mount.point], outputDirectory: directory)
                    defer { process.end() }
                    for count in [2, 10] {
                        try eventually("requests") { server.requests(.get).count >= count }
                        try mount.killServer()
                    }
                    try process.waitForEnd(timeout: .seconds(60))
                    #expect(process.status == 0, "\(process.errorOutput)")
                    #expect(process.output.contains("8 files are in the cache"))
                }
                server.clearLog()
                for (index, body) in bodies.enumerated() { try checkWhole("\(mount.point)/file\(index)", body) }
                #expect(server.requests(.get).isEmpty)
            }
        }
    }
}
