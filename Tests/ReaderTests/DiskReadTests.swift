import BlockCache
import Foundation
import Logging
import ObjectStore
import Reader
import SystemPackage
import TestSupport
import Testing

/// The division of reads between the disk cache and the store.
struct DiskReadTests {
    private let body = ObjectBody.pattern(seed: 1, byteCount: 900_000)

    /// Calls `read` with a reader of a store with one object, parts of which are in the disk cache.
    private func withCached(
        damaging offset: Int? = nil, _ read: (Reader, BlockCache, ObjectVersion, InMemoryStore) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let store = InMemoryStore(delivery: .inline)
            let version = store.put("a", body)
            func withReader(_ use: (Reader, BlockCache) throws -> Void) throws {
                let blocks = try BlockCache(byteLimit: 16 << 20)
                let disk = try DiskCache(
                    directory: FilePath(directory + "/cache"), byteLimit: 64 << 20, source: "test",
                    queueByteLimit: 8 << 20,
                    didRelease: { blocks.serveWaiting() },
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
                defer { disk.shutdown() }
                let limits = ReaderLimits(readTimeout: .seconds(60))
                try use(Reader(store: store, cache: blocks, disk: disk, limits: limits), blocks)
            }
            try withReader { reader, _ in
                let bytes = try reader.open(version).bytes(0..<body.byteCount)
                #expect(bytes == body.bytes(in: 0..<body.byteCount))
            }
            if let offset { try overwrite(in: directory, at: offset) }
            store.clearLog()
            try withReader { try read($0, $1, version, store) }
        }
    }

    private func overwrite(in directory: String, at offset: Int) throws {
        let names = try FileManager.default.subpathsOfDirectory(atPath: directory)
        let data = try #require(names.first { $0.hasSuffix(".data") })
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: "\(directory)/\(data)"))
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: [UInt8(0x55), 0xaa, 0x55])
        try file.close()
    }

    @Test func `Bytes on the disk are not requested from the store`() throws {
        try withCached { reader, _, version, store in
            let bytes = try reader.open(version).bytes(5..<800_000)
            #expect(bytes == body.bytes(in: 5..<800_000))
            #expect(store.rangeRequests.isEmpty)
        }
    }

    @Test(arguments: [0, 131_072, 400_000, 899_990])
    func `Bytes from a damaged block on are requested from the store, and all bytes are right`(offset: Int) throws {
        try withCached(damaging: offset) { reader, _, version, store in
            let bytes = try reader.open(version).bytes(0..<body.byteCount)
            #expect(bytes == body.bytes(in: 0..<body.byteCount))
            #expect(store.rangeRequests.map(\.range) == [offset / 131_072 * 131_072..<body.byteCount])
        }
    }

    @Test func `Bytes on the disk are not prefetched into memory`() throws {
        try withCached { reader, blocks, version, store in
            reader.prefetchWhole(version)
            #expect(blocks.residentByteCount == 0)
            #expect(store.rangeRequests.isEmpty)
        }
    }
}
