import Foundation
import Glibc
import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// Objects that are overwritten in S3 while they are in the cache. After the TTL all reads give new bytes, and handles
/// of the old object give old bytes or ESTALE.
@Suite(mounts) struct CacheOverwriteTests {
    /// The state of the object at the time of the overwrite.
    enum Before: CaseIterable {
        /// All of it was cached before the mount, and is a backing file from the first open on.
        case complete
        /// Fetched by this mount.
        case read
        /// Some of it in the cache before the mount.
        case inPart
    }

    /// One that is fetched whole at once, and one that isn't.
    private static let byteCounts = [300_000, 9_000_000]

    @Test(arguments: Before.allCases, byteCounts)
    func `A cached object that is overwritten is new to read and mmap, and old or ESTALE where it was open`(
        before: Before, byteCount: Int
    ) throws {
        try withOldObject(before, byteCount: byteCount) { server, mountPoint, old, new in
            let path = mountPoint + "/file"
            try withOpenFile(path) { oldFile in
                if before == .read { try oldFile.check(0..<byteCount, old, of: "old") }
                try oldFile.check(0..<min(byteCount, 10_000), old, of: "old")
                server.put("file", new)
                try eventually("the new object is seen") { try beginsLike(new, path) }
                try inParallel(4) { index in
                    if index % 2 == 0 { return try checkWhole(path, new) }
                    try Self.checkOldOrStale(oldFile, old)
                }
                try checkMapped(path, new)
            }
            try checkWhole(path, new)
        }
    }

    @Test(arguments: Before.allCases)
    func `A cached object that is overwritten is old or SIGBUS where it was mapped, and new to new maps`(
        before: Before
    ) throws {
        try withOldObject(before, byteCount: 9_000_000) { server, mountPoint, old, new in
            let path = mountPoint + "/file"
            try withTemporaryDirectory { directory in
                try Data(old.allBytes).write(to: URL(fileURLWithPath: directory + "/copy"))
                let reader = try BackgroundProcess(
                    "python3", ["-c", Self.compareLater, path, directory + "/copy", directory + "/go"],
                    outputDirectory: directory)
                defer { reader.end() }
                try eventually("the mapping: \(reader.errorOutput)") { reader.output == "mapped\n" }
                server.put("file", new)
                try eventually("the new object is seen") { try beginsLike(new, path) }
                try checkMapped(path, new)
                try runChecked("touch", [directory + "/go"])
                try reader.waitForEnd(timeout: .seconds(60))
                #expect([0, -SIGBUS].contains(reader.status), "\(reader.errorOutput)")
                try checkMapped(path, new)
            }
        }
    }

    /// Maps a file, touches it, and when there is another file compares it with a copy.
    private static let compareLater = """
        import mmap, os, sys, time
        files = [open(path) for path in sys.argv[1:3]]
        maps = [mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) for file in files]
        maps[0][0]
        print("mapped", flush=True)
        while not os.path.exists(sys.argv[3]):
            time.sleep(0.005)
        for start in range(0, len(maps[1]), 4096):
            if maps[0][start:start + 4096] != maps[1][start:start + 4096]:
                sys.exit(f"different at {start}")
        """

    /// Mounts an object that is in the cache as `before` says, with a TTL of a second.
    private func withOldObject(
        _ before: Before, byteCount: Int, _ body: (S3TestServer, String, ObjectBody, ObjectBody) throws -> Void
    ) throws {
        var bodies = BodySource(seed: .random(in: 0...(.max)))
        let (old, new) = (try bodies.body(byteCount: byteCount), try bodies.body(byteCount: byteCount))
        try withTemporaryDirectory { directory in
            let options = TestCache(path: directory + "/cache").options
            try withS3TestServer { server in
                server.put("file", old)
                if before != .read {
                    try withMount(of: server, options: options) { mountPoint in
                        try withOpenFile(mountPoint + "/file") { file in
                            let end = before == .complete ? byteCount : min(byteCount, 1_000_000)
                            try file.check(0..<end, old, of: "old")
                        }
                    }
                }
                try withMount(of: server, options: options + ["--metadata-ttl", "1s"]) { mountPoint in
                    try body(server, mountPoint, old, new)
                }
            }
        }
    }

    /// Reads the file in pieces. Each is as in `old`, or ESTALE.
    private static func checkOldOrStale(_ file: FileDescriptor, _ old: ObjectBody) throws {
        for start in stride(from: 0, to: old.byteCount, by: 100_000) {
            do {
                try file.check(start..<min(start + 100_000, old.byteCount), old, of: "old")
            } catch Errno.staleNFSFileHandle {}
        }
    }

    /// Returns `true` if the file begins like `body`, and `false` for ESTALE, which precedes the new contents.
    private func beginsLike(_ body: ObjectBody, _ path: String) throws -> Bool {
        do {
            return try withOpenFile(path) { try $0.bytes(in: 0..<100) == body.bytes(in: 0..<100) }
        } catch Errno.staleNFSFileHandle {
            return false
        }
    }

    private func checkMapped(_ path: String, _ body: ObjectBody) throws {
        try withTemporaryDirectory { directory in
            try Data(body.allBytes).write(to: URL(fileURLWithPath: directory + "/copy"))
            try runChecked("python3", ["-c", OverwriteTests.compareMapped, path, directory + "/copy"])
        }
    }
}
