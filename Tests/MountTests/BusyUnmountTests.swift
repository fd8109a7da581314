import Foundation
import ObjectStore
import TestSupport
import Testing

/// Mounts that end while files are being read: the readers get their bytes or an error, and nothing stays.
@Suite(.serialized, mounts) struct BusyUnmountTests {
    private static let readerCount = 4
    private static let byteCount = 8 << 20

    /// A way to end a mount, and its effect on readers that wait for a silent server.
    enum Way: CaseIterable {
        case terminate, interrupt, unmountCommand, lazyUmount

        /// Ends the mount that is served by `server`.
        func end(_ mountPoint: String, server: Int32) throws {
            switch self {
            case .terminate: kill(server, SIGTERM)
            case .interrupt: kill(server, SIGINT)
            case .unmountCommand:
                try runChecked(tractfsExecutable(), ["unmount", "--grace", "1s", mountPoint])
            case .lazyUmount: try runChecked("umount", ["-l", mountPoint])
            }
        }
    }

    @Test(arguments: Way.allCases)
    func `A mount that ends while readers wait for a silent server leaves nothing, and they get an error`(
        way: Way
    ) throws {
        try whileReading(options: ["--read-timeout", "3s"], .stall) { mount in
            try way.end(mount.point, server: mount.server)
            try eventually("nothing is mounted") { !isMounted(mount.point) }
            for reader in mount.readers {
                try reader.waitForEnd(timeout: .seconds(60))
                // cmp(1): 2 is trouble, 1 would be wrong bytes.
                #expect(reader.status == 2, "\(reader.output)\(reader.errorOutput)")
            }
            try eventually("the server's end") { processes(withArgument: mount.point).isEmpty }
        }
    }

    @Test(arguments: Way.allCases)
    func `A mount that ends while readers read from a slow server gives them their bytes or an error`(way: Way) throws {
        try whileReading(.delay(.milliseconds(400))) { mount in
            try way.end(mount.point, server: mount.server)
            try eventually("nothing is mounted") { !isMounted(mount.point) }
            for reader in mount.readers {
                try reader.waitForEnd(timeout: .seconds(60))
                #expect([0, 2].contains(reader.status), "\(reader.output)\(reader.errorOutput)")
            }
            try eventually("the server's end") { processes(withArgument: mount.point).isEmpty }
        }
    }

    @Test func `umount refuses while files are being read, and works right after`() throws {
        try whileReading(.delay(.milliseconds(400))) { mount in
            let refusal = try run("umount", [mount.point], environment: ["LC_ALL": "C"])
            #expect(refusal.status != 0 && refusal.errorOutput.contains("busy"), "\(refusal)")
            for reader in mount.readers {
                try reader.waitForEnd(timeout: .seconds(60))
                #expect(reader.status == 0, "\(reader.output)\(reader.errorOutput)")
            }
            try runChecked("umount", [mount.point])
            try eventually("the server's end") { processes(withArgument: mount.point).isEmpty }
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func `In the foreground, a signal ends a busy mount with status 0`(signal: Int32) throws {
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: Self.byteCount)
            server.put("file", body)
            server.script(.gets, .linger(.stallAfter(byteCount: 200_000)))
            try withTemporaryDirectory { directory in
                let mountPoint = directory + "/mount"
                for name in ["/mount", "/server", "/reader"] {
                    try FileManager.default.createDirectory(
                        atPath: directory + name, withIntermediateDirectories: false)
                }
                let process = try BackgroundProcess(
                    tractfsExecutable(),
                    [
                        "mount", "--foreground", "--no-cache", "--endpoint-url", server.endpointURL,
                        "s3://\(server.bucket)",
                        mountPoint,
                    ], environment: environmentWithKeys, outputDirectory: directory + "/server")
                defer { process.end() }
                try eventually("the mount") { isMounted(mountPoint) }
                let reader = try BackgroundProcess(
                    "cat", [mountPoint + "/file"], outputDirectory: directory + "/reader")
                defer { reader.end() }
                try eventually("the reader's GET") { !server.requests(.get).isEmpty }
                kill(process.processID, signal)
                try process.waitForEnd(timeout: .seconds(30))
                #expect(process.status == 0, "\(process.errorOutput)")
                #expect(!isMounted(mountPoint))
                try reader.waitForEnd(timeout: .seconds(30))
                #expect(reader.status == 1, "cat was told of the error")
            }
        }
    }

    /// Holds the lock under which a damaged block of the disk cache is read again for as long as a read waits for it.
    @Test func `A mount that ends while a read waits for the disk cache ends with status 0`() throws {
        try withS3TestServer { server in
            server.put("file", try ObjectBody.random(byteCount: Self.byteCount))
            try withTemporaryDirectory { directory in
                let options = ["--cache-dir", directory + "/cache"]
                _ = try withMount(of: server, options: options) { mountPoint in
                    // A part of the file, because a complete one becomes a backing file.
                    try runChecked("head", ["-c", "100000", mountPoint + "/file"])
                }
                let files = try #require(try cachedFiles(in: directory + "/cache"))
                let data = try FileHandle(forUpdating: URL(fileURLWithPath: files + ".data"))
                try data.write(contentsOf: Data(repeating: 0, count: 4_096))
                let index = try FileHandle(forReadingFrom: URL(fileURLWithPath: files + ".index"))
                #expect(flock(index.fileDescriptor, LOCK_SH) == 0)
                let mountPoint = directory + "/mount"
                for name in ["/mount", "/server", "/reader"] {
                    try FileManager.default.createDirectory(
                        atPath: directory + name, withIntermediateDirectories: false)
                }
                let process = try BackgroundProcess(
                    tractfsExecutable(),
                    ["mount", "--foreground", "--endpoint-url", server.endpointURL] + options
                        + ["s3://\(server.bucket)", mountPoint],
                    // Freed memory is overwritten, so that a use after free crashes.
                    environment: environmentWithKeys.merging(["MALLOC_PERTURB_": "165"]) { $1 },
                    outputDirectory: directory + "/server")
                defer { process.end() }
                try eventually("the mount") { isMounted(mountPoint) }
                let reader = try BackgroundProcess(
                    "cat", [mountPoint + "/file"], outputDirectory: directory + "/reader")
                defer { reader.end() }
                try eventually("the reader waits for bytes") {
                    let place = FileManager.default.contents(atPath: "/proc/\(reader.processID)/wchan") ?? Data()
                    return ["folio", "request_wait"].contains { String(decoding: place, as: UTF8.self).contains($0) }
                }
                kill(process.processID, SIGTERM)
                try process.waitForEnd(timeout: .seconds(30))
                #expect(process.status == 0, "\(process.errorOutput)")
                try reader.waitForEnd(timeout: .seconds(30))
                #expect(reader.status == 1, "cat was told of the error")
            }
        }
    }

    /// The path of the only object's files in a cache, without their suffixes.
    private func cachedFiles(in cache: String) throws -> String? {
        let names = try FileManager.default.subpathsOfDirectory(atPath: cache)
        return names.first { $0.hasSuffix(".data") }.map { "\(cache)/\($0.dropLast(".data".count))" }
    }

    /// A mount that is being read from.
    private struct BusyMount {
        let point: String
        /// The process that serves it.
        let server: Int32
        /// Each compares a file of the mount with what it should be: cmp(1).
        let readers: [BackgroundProcess]
    }

    /// Mounts a server whose GETs linger, and calls `body` when each of several files is being read.
    private func whileReading(
        options: [String] = [], _ lingering: Lingering, _ body: (BusyMount) throws -> Void
    ) throws {
        try withS3TestServer { server in
            let bytes = try ObjectBody.random(byteCount: Self.byteCount)
            for index in 0..<Self.readerCount { server.put(Key("\(index)"), bytes) }
            server.script(.gets, .linger(lingering))
            try withTemporaryDirectory { directory in
                try Data(bytes.allBytes).write(to: URL(fileURLWithPath: directory + "/copy"))
                _ = try withMount(of: server, options: options) { mountPoint in
                    let process = try #require(MountProcesses(of: mountPoint)).server
                    let readers = try (0..<Self.readerCount).map { index in
                        let outputs = directory + "/\(index)"
                        try FileManager.default.createDirectory(atPath: outputs, withIntermediateDirectories: false)
                        return try BackgroundProcess(
                            "cmp", [mountPoint + "/\(index)", directory + "/copy"], outputDirectory: outputs)
                    }
                    defer { readers.forEach { $0.end() } }
                    try eventually("a GET of each reader") {
                        Set(server.requests(.get).map(\.request.key)).count == Self.readerCount
                    }
                    try body(BusyMount(point: mountPoint, server: process, readers: readers))
                }
            }
        }
    }
}
