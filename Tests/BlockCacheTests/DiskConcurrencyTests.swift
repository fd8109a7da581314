import SystemSupport
import ObjectStore
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import BlockCache

@Suite("Disk cache: concurrency") struct DiskConcurrencyTests {
    /// The objects, together four times the limit, so that evictions happen all the time.
    private static let versions = (0..<8).map { number in
        DiskFixture.version("object \(number)", byteCount: 64 * Block.byteCount - 8 * number)
    }

    @Test func `Threads of two disk caches that store, load, hand over and evict at once read no wrong byte`() throws {
        let fixture = try DiskFixture()
        let caches = try (0..<2).map { _ in try fixture.cache(byteLimit: DiskCache.minimumByteLimit) }
        let wrongCount = Atomic(0)
        let failureCount = Atomic(0)
        let seed = UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        let threads = (0..<6).map { number in
            WorkerThread {
                var random = SeededGenerator(seed: seed &+ UInt64(number))
                for _ in 0..<25 {
                    let isRight = try? DiskConcurrencyTests.step(fixture, caches[number % 2], &random)
                    if isRight == nil { failureCount.add(1, ordering: .relaxed) }
                    if isRight == false { wrongCount.add(1, ordering: .relaxed) }
                }
            }
        }
        for thread in threads { thread.join() }
        for cache in caches { cache.waitUntilWritten() }
        #expect(wrongCount.load(ordering: .relaxed) == 0, "seed \(seed)")
        #expect(failureCount.load(ordering: .relaxed) == 0, "seed \(seed)")
        #expect(try fixture.diskUsage() <= DiskCache.minimumByteLimit / 100 * 105, "seed \(seed)")
        #expect(fixture.log.warnings.isEmpty, "nobody has damaged anything, seed \(seed)")
    }

    /// Makes a random access. Returns `true` if all bytes read were right.
    private static func step(
        _ fixture: DiskFixture, _ cache: DiskCache, _ random: inout SeededGenerator
    ) throws -> Bool {
        let object = cache.open(versions.randomElement(using: &random) ?? versions[0])
        let start = Int.random(in: 0..<64, using: &random)
        let indices = start..<min(start + 16, 64)
        switch Int.random(in: 0..<4, using: &random) {
        case 0:
            return try fixture.load(indices, of: object).areRight
        case 1:
            guard let file = object.completeFile else { return true }
            return try fixture.isRight(file, of: object.identity.version)
        default:
            for index in indices where object.present(among: index..<index + 1).isEmpty {
                object.store(try fixture.block(index, of: object.identity.version), at: index)
            }
            cache.waitUntilWritten()
            return try fixture.load(indices, of: object).areRight
        }
    }
}
