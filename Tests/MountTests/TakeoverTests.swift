import Foundation
import ObjectStore
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import tractfs

/// Whether the kernel hands out a dead server's requests again.
let takeoverAvailable = ConditionTrait.enabled(
    if: fuseAvailable && kernelIsAtLeast(6, 9), "needs /dev/fuse and Linux 6.9 or later")

func kernelIsAtLeast(_ major: Int, _ minor: Int) -> Bool {
    let release = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? ""
    let version = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    return !version.lexicographicallyPrecedes([major, minor])
}

/// How often a server is killed in tests of many kills: 20 times, or ten times as often under TRACTFS_STRESS.
let manyKills = ProcessInfo.processInfo.environment["TRACTFS_STRESS"] == nil ? 20 : 200

/// A mount whose server is killed, and what its log says of it.
struct KilledMount {
    let point: String
    let log: String

    /// Kills the server, once there is one that serves. The one after it serves when this returns.
    func killServer(_ signal: Int32 = SIGKILL) throws {
        let count = takeoverCount
        let server = try runningServer()
        kill(server, signal)
        try eventually("a takeover from \(server); the log says: \(text)") { takeoverCount > count }
    }

    /// The process that serves.
    func runningServer() throws -> Int32 {
        var server: Int32?
        try eventually("a server") {
            server = MountProcesses(of: point)?.server
            return server != nil
        }
        return try #require(server)
    }

    /// How many servers have taken over so far.
    var takeoverCount: Int {
        text.split(separator: "\n").count { $0.contains("has taken over after") }
    }

    /// How large the files of the server's `StateLog` are.
    func logByteCount() throws -> Int {
        let folder = "/proc/\(try runningServer())/fd/"
        return try FileManager.default.contentsOfDirectory(atPath: folder).reduce(0) { sum, name in
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: folder + name)
            guard target?.contains("/var/tmp/#") == true || target?.contains("tractfs-state") == true else {
                return sum
            }
            var status = stat()
            return stat(folder + name, &status) == 0 ? sum + Int(status.st_size) : sum
        }
    }

    /// All that was logged.
    var text: String {
        String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
    }
}

/// Mounts what `server` holds, with a log.
func withKilledMount<Result>(
    of server: S3TestServer, options: [String] = [], environment: [String: String] = [:],
    _ body: (KilledMount) throws -> Result
) throws -> Result {
    // The Swift runtime takes its time for a backtrace, which `swift test` asks it for.
    let environment = environmentWithKeys.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }.merging(environment) { $1 }
    return try withTemporaryDirectory { directory in
        let log = directory + "/log"
        return try withMount(
            uri: "s3://\(server.bucket)",
            options: ["--endpoint-url", server.endpointURL, "--log-file", log] + options, environment: environment
        ) { mountPoint in
            server.clearLog()
            return try body(KilledMount(point: mountPoint, log: log))
        }
    }
}

@Suite("When the serving process is killed, another takes over:", .serialized, takeoverAvailable)
struct TakeoverTests {
    private static let byteCount = 64 << 20

    /// Where the bytes come from that are read when the server is killed.
    enum Source: CaseIterable {
        case store, memory, disk, mapping

        var options: [String] {
            switch self {
            case .store, .memory: ["--no-cache", "--memory-limit", "256MiB"]
            case .disk, .mapping: []
            }
        }
    }

    @Test(arguments: Source.allCases)
    func `a reader of 64 MiB gets the right bytes`(source: Source) throws {
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: Self.byteCount)
            server.put("file", body)
            try withTemporaryDirectory { directory in
                let copy = directory + "/copy"
                try Data(body.allBytes).write(to: URL(fileURLWithPath: copy))
                try withKilledMount(of: server, options: source.options) { mount in
                    let file = mount.point + "/file"
                    if source != .store { try runChecked("cmp", [file, copy]) }
                    let script = """
                        import mmap, sys, time
                        file, copy = open(sys.argv[1], "rb"), open(sys.argv[2], "rb")
                        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) if sys.argv[3] == "map" else None
                        for offset in range(0, \(Self.byteCount), 1 << 20):
                            got = mapped[offset:offset + (1 << 20)] if mapped else file.read(1 << 20)
                            if got != copy.read(1 << 20): sys.exit(f"wrong bytes at {offset}")
                            print(offset, flush=True)
                            time.sleep(0.005)
                        """
                    let reader = try BackgroundProcess(
                        "python3", ["-c", script, file, copy, source == .mapping ? "map" : "read"],
                        outputDirectory: directory)
                    defer { reader.end() }
                    for part in [10, 30, 50] {
                        try eventually("\(part) MiB; \(reader.errorOutput)") {
                            !reader.isRunning || reader.output.split(separator: "\n").count > part
                        }
                        try mount.killServer()
                    }
                    try reader.waitForEnd(timeout: .seconds(60))
                    #expect(reader.status == 0, "\(reader.errorOutput)\(mount.text)")
                }
            }
        }
    }

    @Test func `before it had to, its log has been kept short`() throws {
        try withS3TestServer { server in
            // Two hundred bytes each, and a listing of them is in the log for as long as a folder is open.
            for number in 0..<500 { server.put(Key(String(format: "%0200d", number)), .text("x")) }
            let limit = 256 << 10
            try withKilledMount(
                of: server, options: ["--no-cache", "--metadata-ttl", "0s"],
                environment: [MountLayers.logByteCountVariable: "\(limit)"]
            ) { mount in
                let script = "import os, sys\nfor _ in range(50): assert len(os.listdir(sys.argv[1])) == 500"
                try runChecked("python3", ["-c", script, mount.point])
                // Files grow by a mebibyte; and there may be two, one of them being written.
                try eventually("a short log; it has \(try mount.logByteCount()) bytes") {
                    try mount.logByteCount() <= 4 << 20
                }
                try mount.killServer()
                #expect(try runChecked("ls", [mount.point]).split(separator: "\n").count == 500)
            }
        }
    }

    @Test func `where the mount lies on the folder that it was started in, by who ignores the end of children`() throws
    {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withTemporaryDirectory { directory in
                let (point, log) = (directory + "/mount", directory + "/log")
                try runChecked("mkdir", [point])
                let supervisor = try BackgroundProcess(
                    "sh",
                    [
                        "-c", "trap '' CHLD; cd \"$0\" && exec \"$@\"", point, tractfsExecutable(), "mount",
                        "--foreground",
                    ]
                        + ["s3://\(server.bucket)", point, "--no-cache", "--metadata-ttl", "0s"]
                        + ["--endpoint-url", server.endpointURL, "--log-file", log],
                    environment: environmentWithKeys, outputDirectory: directory)
                defer { supervisor.end() }
                let mount = KilledMount(point: point, log: log)
                try eventually("a mount; \(mount.text)\(supervisor.errorOutput)") {
                    mount.text.contains("mounted s3://")
                }
                let result = Result {
                    for _ in 0..<2 { try mount.killServer() }
                    let folder = "/proc/\(try mount.runningServer())/cwd"
                    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder) == "/")
                    #expect(mount.text.contains("has died (signal \(SIGKILL)"), "\(mount.text)")
                    #expect(try runChecked("cat", [point + "/file"]) == "read me")
                }
                try runChecked(tractfsExecutable(), ["unmount", point])
                try eventually("the end of both processes") { processes(withArgument: point).isEmpty }
                try result.get()
            }
        }
    }

    @Test func `many kills in a row don't end the mount, nor a comparison of a file`() throws {
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: Self.byteCount)
            server.put("file", body)
            // So that it takes a while, and there is always something under way.
            server.setLatency(.milliseconds(20))
            try withTemporaryDirectory { directory in
                let copy = directory + "/copy"
                try Data(body.allBytes).write(to: URL(fileURLWithPath: copy))
                // Takeovers are counted by the log, which tells so many of them in detail only.
                let options = ["--no-cache", "--memory-limit", "128MiB", "--log-level", "debug"]
                try withKilledMount(of: server, options: options) { mount in
                    let script = """
                        while cmp "$0" "$1"; do
                            echo same
                            # Out of the page cache with it (dd(1)).
                            dd if="$0" iflag=nocache count=0 status=none
                        done
                        """
                    let reader = try BackgroundProcess(
                        "bash", ["-c", script, mount.point + "/file", copy], outputDirectory: directory)
                    defer { reader.end() }
                    for _ in 0..<manyKills { try mount.killServer() }
                    let count = reader.output.count
                    try eventually("one comparison more") { !reader.isRunning || reader.output.count > count }
                    #expect(reader.isRunning, "\(reader.errorOutput)\(mount.text)")
                }
            }
        }
    }

    @Test func `walks and listings are complete and exact`() throws {
        try withS3TestServer { server in
            var names: [String] = []
            for folder in 0..<40 {
                for file in 0..<60 {
                    let key = "d\(folder)/f\(file)"
                    server.put(Key(key), .text(key))
                    names.append(key)
                }
            }
            server.setLatency(.milliseconds(10))
            try withTemporaryDirectory { directory in
                try withKilledMount(of: server) { mount in
                    let script = "cd $0 && for i in 1 2 3; do find . -type f -printf '%P\\n' | sort | md5sum; done"
                    let walker = try BackgroundProcess("bash", ["-c", script, mount.point], outputDirectory: directory)
                    defer { walker.end() }
                    for _ in 0..<4 { try mount.killServer() }
                    try walker.waitForEnd(timeout: .seconds(60))
                    let expected = try runChecked(
                        "bash", ["-c", "printf '%s\\n' $0 | sort | md5sum", names.joined(separator: "\n")])
                    #expect(walker.errorOutput == "")
                    #expect(walker.output == String(repeating: expected, count: 3), "\(mount.text)")
                }
            }
        }
    }

    @Test func `a folder that is open is listed to its end, each name once`() throws {
        try withS3TestServer { server in
            let names = (0..<5_000).map { String(format: "name-%05d", $0) }
            for name in names { server.put(Key(name), .text("")) }
            try withKilledMount(of: server) { mount in
                var entries = try DirectoryEntries(mount.point)
                var seen: [String] = []
                while let entry = try entries.next() {
                    seen.append(entry.text)
                    if seen.count == 1_000 || seen.count == 3_000 { try mount.killServer() }
                }
                #expect(seen == names)
            }
        }
    }

    @Test func `an open that is under way succeeds, and so does a read that waits`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withTemporaryDirectory { directory in
                try withKilledMount(of: server) { mount in
                    server.script(.gets, .linger(.delay(.seconds(1))))
                    let reader = try BackgroundProcess("cat", [mount.point + "/file"], outputDirectory: directory)
                    defer { reader.end() }
                    try eventually("the GET") { !server.requests(.get).isEmpty }
                    try mount.killServer()
                    try reader.waitForEnd(timeout: .seconds(30))
                    #expect(reader.output == "read me" && reader.status == 0, "\(reader.errorOutput)")
                }
            }
        }
    }

    @Test func `also when the store is gone, and what is cached can be read then`() throws {
        try withS3TestServer { server in
            server.put("file", .text("read me"))
            try withKilledMount(of: server, options: ["--metadata-ttl", "forever"]) { mount in
                try runChecked("cat", [mount.point + "/file"])
                server.script(.any, .refuse(.internalError))
                try mount.killServer()
                #expect(try runChecked("cat", [mount.point + "/file"]) == "read me")
            }
        }
    }

    @Test func `an upgrade does the same on purpose, and readers notice nothing`() throws {
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: Self.byteCount)
            server.put("file", body)
            server.setLatency(.milliseconds(20))
            try withTemporaryDirectory { directory in
                let copy = directory + "/copy"
                try Data(body.allBytes).write(to: URL(fileURLWithPath: copy))
                try withKilledMount(of: server, options: ["--no-cache"]) { mount in
                    let reader = try BackgroundProcess(
                        "cmp", [mount.point + "/file", copy], outputDirectory: directory)
                    defer { reader.end() }
                    try eventually("a GET") { !server.requests(.get).isEmpty }
                    for _ in 0..<2 {
                        let before = try #require(MountProcesses(of: mount.point))
                        let said = try runChecked(tractfsExecutable(), ["upgrade", mount.point])
                        let after = try #require(MountProcesses(of: mount.point))
                        #expect(said.contains("process \(after.server)"))
                        #expect(after.server != before.server && after.supervisor == before.supervisor)
                    }
                    try reader.waitForEnd(timeout: .seconds(60))
                    #expect(reader.status == 0, "\(reader.output)\(reader.errorOutput)\(mount.text)")
                    #expect(mount.text.contains("the mount is upgraded"))
                }
            }
        }
    }
}
