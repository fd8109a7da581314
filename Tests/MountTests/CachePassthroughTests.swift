import Foundation
import Glibc
import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// Reads that never reach the process that serves the mount. All that it answers goes through writes to /dev/fuse,
/// which the kernel counts (`wchar`, proc_pid_io(5)), so that it can't have answered reads of more than it has written.
@Suite(
    .serialized, mounts,
    .enabled(
        if: passthroughAvailable, "needs root, Linux 6.9 or later, and a temporary folder that is not on overlayfs"))
struct CachePassthroughTests {
    /// The most bytes for opens, closes, attributes and the cache's own notes, fewer than in any file here.
    private static let otherByteCount = 16 << 10
    private static let bodies: Result<[Key: ObjectBody], any Error> = Result {
        var bodies = BodySource(seed: .random(in: 0...(.max)))
        return ["small": try bodies.body(byteCount: 300_000), "big": try bodies.body(byteCount: 5_000_000)]
    }

    /// A new mount has no pages of the files, so all that is read comes from the process or from the cache's files.
    @Test func `The kernel reads the files that an earlier mount has cached from the disk, also with mmap`() throws {
        let objects = try Self.bodies.get()
        try withCache(objects) { server, cache in
            try withMount(of: server, options: cache.options) { try checkAll(objects, in: $0) }
            try withMount(of: server, options: cache.options) { mountPoint in
                for (key, body) in objects {
                    let path = "\(mountPoint)/\(key)"
                    let byteCount = try writtenByteCount(mountPoint) { try checkWhole(path, body) }
                    #expect(byteCount < Self.otherByteCount, "\(key)")
                }
                #expect(server.requests(.get).isEmpty)
            }
            try withMount(of: server, options: cache.options) { mountPoint in
                for (key, body) in objects {
                    let byteCount = try writtenByteCount(mountPoint) { try checkMapped("\(mountPoint)/\(key)", body) }
                    #expect(byteCount < Self.otherByteCount, "\(key)")
                }
            }
        }
    }

    @Test func `The kernel reads a small file from the disk from its first open on, which costs one GET`() throws {
        let body = try #require(try Self.bodies.get()["small"])
        try withCache(["small": body]) { server, cache in
            try withMount(of: server, options: cache.options) { mountPoint in
                try withOpenFile(mountPoint + "/small") { file in
                    let byteCount = try writtenByteCount(mountPoint) {
                        try file.check(0..<body.byteCount, body, of: "small")
                    }
                    #expect(byteCount < Self.otherByteCount)
                }
                #expect(server.log.filter { $0.request.kind != .list }.map(\.request.kind) == [.get])
            }
        }
    }

    /// The mount's pages of the file are dropped each time, since the kernel would read them otherwise.
    @Test func `The kernel reads a file from the disk from one of the next opens after it was read`() throws {
        let body = try #require(try Self.bodies.get()["big"])
        try withCache(["big": body]) { server, cache in
            try withMount(of: server, options: cache.options) { mountPoint in
                func readWithoutPages() throws -> Int {
                    try withOpenFile(mountPoint + "/big") { file in
                        let byteCount = try writtenByteCount(mountPoint) {
                            try file.check(0..<body.byteCount, body, of: "big")
                        }
                        #expect(posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_DONTNEED) == 0)
                        return byteCount
                    }
                }
                #expect(try readWithoutPages() > body.byteCount, "the first time it reads through the process")
                server.clearLog()
                try eventually("reads by the kernel") { try readWithoutPages() < Self.otherByteCount }
                #expect(server.requests(.get).isEmpty)
            }
        }
    }

    private func withCache(_ objects: [Key: ObjectBody], _ body: (S3TestServer, TestCache) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try withS3TestServer { server in
                for (key, body) in objects { server.put(key, body) }
                try body(server, TestCache(path: directory + "/cache"))
            }
        }
    }

    /// Returns the number of bytes that the serving process writes during `body`.
    private func writtenByteCount(_ mountPoint: String, during body: () throws -> Void) throws -> Int {
        let process = try #require(MountProcesses(of: mountPoint)).server
        let before = try writtenByteCount(of: process)
        try body()
        return try writtenByteCount(of: process) - before
    }

    private func writtenByteCount(of process: Int32) throws -> Int {
        let counts = try String(contentsOfFile: "/proc/\(process)/io", encoding: .utf8)
        let line = try #require(counts.split(separator: "\n").first { $0.hasPrefix("wchar:") })
        return try #require(Int(line.filter(\.isNumber)))
    }

    private func checkMapped(_ path: String, _ body: ObjectBody) throws {
        try withOpenFile(path) { file in
            let mapped = mmap(nil, body.byteCount, PROT_READ, MAP_SHARED, file.rawValue, 0)
            let memory = try #require(mapped != MAP_FAILED ? mapped : nil)
            defer { munmap(memory, body.byteCount) }
            let bytes = [UInt8](UnsafeRawBufferPointer(start: memory, count: body.byteCount))
            try body.check(bytes, at: 0..<body.byteCount, of: path)
        }
    }
}
