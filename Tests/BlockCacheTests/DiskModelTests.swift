import Glibc
import ObjectStore
import TestSupport
import Testing

@testable import BlockCache

@Suite("Disk cache: model") struct DiskModelTests {
    /// Objects of all sizes, together about three times the limit.
    private static let versions = [1, 5, 40, 80, 120, 200].map { blockCount in
        DiskFixture.version("object of \(blockCount)", byteCount: blockCount * Block.byteCount - 1000)
    }

    /// Two caches on one directory, and the open objects of each.
    private struct World {
        let fixture: DiskFixture
        var caches: [DiskCache]
        var objects: [[DiskObject]]
        var files: [(ObjectVersion, CompleteFile)] = []
        var random: SeededGenerator
        var loadedBlockCount = 0
        /// `true` if enough was loaded, and a complete object handed out.
        var hasTriedAll: Bool { loadedBlockCount > 50 && !files.isEmpty }

        mutating func reopen(_ which: Int) throws {
            caches[which].shutdown()
            caches[which] = try fixture.cache(byteLimit: DiskCache.minimumByteLimit)
            objects[which] = versions.map { [cache = caches[which]] in cache.open($0) }
        }
    }

    @Test func `No wrong byte is read after any order of storing, evicting, damaging and reopening`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        let fixture = try DiskFixture()
        let caches = [
            try fixture.cache(byteLimit: DiskCache.minimumByteLimit),
            try fixture.cache(byteLimit: DiskCache.minimumByteLimit),
        ]
        var world = World(
            fixture: fixture, caches: caches,
            objects: caches.map { cache in DiskModelTests.versions.map { cache.open($0) } },
            random: SeededGenerator(seed: seed))
        // Some seeds complete no object within 300 steps, since objects are evicted and damaged all the time.
        for step in 0..<10_000 where step < 300 || !world.hasTriedAll { try DiskModelTests.step(&world, seed: seed) }
        for cache in world.caches { cache.waitUntilWritten() }
        #expect(try fixture.diskUsage() <= DiskCache.minimumByteLimit / 100 * 105, "seed \(seed)")
        #expect(world.hasTriedAll, "seed \(seed) tries nothing")
        for (version, file) in world.files { #expect(try fixture.isRight(file, of: version), "seed \(seed)") }
    }

    private static func step(_ world: inout World, seed: UInt64) throws {
        let which = Int.random(in: 0..<2, using: &world.random)
        let object = world.objects[which].randomElement(using: &world.random) ?? world.objects[which][0]
        let blockCount = object.identity.blockCount
        let start = Int.random(in: 0..<blockCount, using: &world.random)
        let indices = start..<min(start + Int.random(in: 1...32, using: &world.random), blockCount)
        switch Int.random(in: 0..<20, using: &world.random) {
        case 0..<8:
            for index in indices {
                object.store(try world.fixture.block(index, of: object.identity.version), at: index)
            }
            if Bool.random(using: &world.random) || world.fixture.freeBlockCount < 100 {
                for cache in world.caches { cache.waitUntilWritten() }
            }
        case 8..<15:
            let (end, areRight) = try world.fixture.load(indices, of: object)
            #expect(areRight, "seed \(seed)")
            world.loadedBlockCount += max(end - start, 0)
        case 15..<17:
            if let file = object.completeFile { world.files.append((object.identity.version, file)) }
        case 17:
            try world.reopen(which)
        default:
            // The kernel may read a complete file that was handed out: damage to it can't be repaired.
            guard !world.files.contains(where: { $0.0 == object.identity.version }) else { return }
            harm(object, &world)
        }
    }

    private static func harm(_ object: DiskObject, _ world: inout World) {
        let data = world.fixture.path(of: object, ".data")
        let index = world.fixture.path(of: object, ".index")
        let offset = Int.random(in: 0..<object.identity.byteCount, using: &world.random)
        // An absent block can't be damaged.
        switch Int.random(in: 0..<6, using: &world.random) {
        case 0..<3: try? world.fixture.flip(data, at: offset)
        case 3: try? world.fixture.flip(index, at: offset % IndexHeader.indexByteCount(for: object.identity))
        case 4: truncate(data, off_t(offset))
        default: unlink(Bool.random(using: &world.random) ? data : index)
        }
    }
}
