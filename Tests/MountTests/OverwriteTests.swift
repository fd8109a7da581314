import Foundation
import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// Objects that change while they are read: a reader gets the bytes of one version, or an error.
@Suite("Overwritten objects", .serialized, mounts) struct OverwriteTests {
    /// A change of the object "f" that a reader has open.
    enum Change: CaseIterable, CustomTestStringConvertible {
        case bigger, ofTheSameSize, smaller, deleted

        var testDescription: String { "\(self)" }

        func make(on server: S3TestServer) {
            switch self {
            case .bigger: server.put("f", OverwriteTests.body(seed: 2, byteCount: OverwriteTests.byteCount * 2))
            case .ofTheSameSize: server.put("f", OverwriteTests.body(seed: 2, byteCount: OverwriteTests.byteCount))
            case .smaller: server.put("f", OverwriteTests.body(seed: 2, byteCount: 1_000))
            case .deleted: server.delete("f")
            }
        }
    }

    /// More than is read ahead of a reader that has read a little.
    private static let byteCount = 24 << 20

    private static func body(seed: UInt64, byteCount: Int) -> ObjectBody {
        .pattern(seed: seed, byteCount: byteCount)
    }

    @Test("an open file has old bytes or is stale, whatever becomes of its object", arguments: Change.allCases)
    func openFile(change: Change) throws {
        try withS3TestServer { server in
            let old = Self.body(seed: 1, byteCount: Self.byteCount)
            server.put("f", old)
            try withMount(of: server, options: ["--metadata-ttl", "1s"]) { mountPoint in
                try withOpenFile(mountPoint + "/f") { file in
                    let first = try file.bytes(in: 0..<4_096)
                    #expect(first == old.bytes(in: 0..<4_096))
                    change.make(on: server)
                    // Also when its name stands for something else by now.
                    usleep(1_100_000)
                    _ = try? FileManager.default.attributesOfItem(atPath: mountPoint + "/f")
                    var staleCount = 0
                    for offset in stride(from: 0, to: Self.byteCount, by: 1 << 20) {
                        do {
                            let bytes = try file.bytes(in: offset..<offset + 8_192)
                            let expected = old.bytes(in: offset..<offset + 8_192)
                            #expect(bytes == expected, "at \(offset)")
                        } catch {
                            #expect(error as? Errno == .staleNFSFileHandle)
                            staleCount += 1
                        }
                    }
                    #expect(staleCount > 0, "most of it was never fetched")
                }
            }
        }
    }

    @Test(
        "a version that others read meanwhile does not show in a file that is open", arguments: [Change.ofTheSameSize])
    func pageCache(change: Change) throws {
        try withS3TestServer { server in
            let old = Self.body(seed: 1, byteCount: Self.byteCount)
            let new = Self.body(seed: 2, byteCount: Self.byteCount)
            server.put("f", old)
            try withMount(of: server, options: ["--metadata-ttl", "1s"]) { mountPoint in
                try withOpenFile(mountPoint + "/f") { oldFile in
                    _ = try oldFile.bytes(in: 0..<1 << 20)
                    change.make(on: server)
                    usleep(1_100_000)
                    // All of the new version goes through the kernel's page cache.
                    let all = try withOpenFile(mountPoint + "/f") { try $0.bytes(in: 0..<Self.byteCount) }
                    #expect(all == new.allBytes)
                    let first = try oldFile.bytes(in: 0..<1 << 20)
                    #expect(first == old.bytes(in: 0..<1 << 20))
                    let rest = errno { try oldFile.bytes(in: 20 << 20..<21 << 20) }
                    #expect(rest == .staleNFSFileHandle)
                }
            }
        }
    }

    @Test("a GET that the change happens in goes on with the old bytes, as S3 does", arguments: [true, false])
    func changeWithinOneGet(isDeleted: Bool) throws {
        try withS3TestServer { server in
            let old = Self.body(seed: 1, byteCount: 512 << 10)
            server.put("f", old)
            let mutation: Mutation =
                isDeleted
                ? .deleteAfter(byteCount: 100_000)
                : .overwriteAfter(byteCount: 100_000, body: Self.body(seed: 2, byteCount: 512 << 10))
            server.script(.get("f"), .mutate(mutation), count: 1)
            try withMount(of: server, options: ["--metadata-ttl", "1s"]) { mountPoint in
                let bytes = try withOpenFile(mountPoint + "/f") { try $0.bytes(in: 0..<512 << 10) }
                #expect(bytes == old.allBytes)
                usleep(1_100_000)
                let again = Result { try withOpenFile(mountPoint + "/f") { try $0.bytes(in: 0..<512 << 10) } }
                if isDeleted {
                    #expect(throws: Errno.noSuchFileOrDirectory) { try again.get() }
                } else {
                    let expected = Self.body(seed: 2, byteCount: 512 << 10).allBytes
                    #expect(try again.get() == expected)
                }
            }
        }
    }

    @Test func `a transfer that breaks and would go on in another version fails`() throws {
        try withS3TestServer { server in
            let old = Self.body(seed: 1, byteCount: 512 << 10)
            server.put("f", old)
            try withMount(of: server) { mountPoint in
                try withOpenFile(mountPoint + "/f") { file in
                    server.script(.get("f"), .damage(.closeAfter(byteCount: 200_000)), count: 1)
                    server.script(.get("f"), .mutate(.answerFrom(contents(seed: 2))), count: .max)
                    let result = errno { try file.bytes(in: 0..<512 << 10) }
                    #expect(result == .staleNFSFileHandle)
                }
            }
        }
    }

    /// In another process, because SIGBUS would end this one.
    @Test func `a mapping of a file whose object was replaced has old bytes, or ends in SIGBUS`() throws {
        let script = """
            import mmap, os, sys, time
            m = mmap.mmap(os.open(sys.argv[1], os.O_RDONLY), 0, access=mmap.ACCESS_READ)
            print(m[:8].hex(), flush=True)
            while not os.path.exists(sys.argv[2]): time.sleep(0.05)
            print(m[20 << 20:(20 << 20) + 8].hex(), flush=True)
            """
        let old = Self.body(seed: 1, byteCount: Self.byteCount)
        try withS3TestServer { server in
            server.put("f", old)
            try withMount(of: server, options: ["--metadata-ttl", "1s"]) { mountPoint in
                try withTemporaryDirectory { directory in
                    let signal = directory + "/go-on"
                    let reader = try BackgroundProcess(
                        pythonExecutable(), ["-c", script, mountPoint + "/f", signal], outputDirectory: directory)
                    defer { reader.end() }
                    let first = hex(old.bytes(in: 0..<8))
                    try eventually("the first bytes") { reader.output == first + "\n" }
                    Change.ofTheSameSize.make(on: server)
                    try Data().write(to: URL(fileURLWithPath: signal))
                    try reader.waitForEnd(timeout: .seconds(30))
                    #expect(reader.status == -SIGBUS, "the rest was never fetched, and can't be had any more")
                    #expect(reader.output == first + "\n")
                }
            }
        }
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String(format: "%02x", $0) }.joined()
    }

    private func contents(seed: UInt64) -> StoreContents {
        var contents = StoreContents()
        contents.put("f", Self.body(seed: seed, byteCount: 512 << 10), etag: ETag("\"another\""))
        return contents
    }
}
