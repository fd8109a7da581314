import ObjectStore
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import BlockCache

@Suite("Disk cache: pinned objects") struct PinnedObjectTests {
    private let fixture: DiskFixture
    private let byteLimit = DiskCache.minimumByteLimit

    init() throws {
        fixture = try DiskFixture()
    }

    private func version(_ name: String, blocks: Int = 30) -> ObjectVersion {
        DiskFixture.version(name, byteCount: blocks * Block.byteCount)
    }

    private func room(of cache: DiskCache) throws -> DiskCache.Room {
        try waiting { cache.room(completion: $0) }
    }

    private func release(
        in cache: DiskCache, where isWanted: @escaping @Sendable (Key) -> Bool
    ) throws -> DiskCache.Release {
        try waiting { cache.release(where: isWanted, completion: $0) }
    }

    private func waiting<Value: Sendable>(
        _ ask: (@escaping @Sendable (Result<Value, Errno>) -> Void) -> Void
    ) throws -> Value {
        let answer = Mutex<Result<Value, Errno>?>(nil)
        ask { result in answer.withLock { $0 = result } }
        try eventually("an answer") { answer.withLock { $0 != nil } }
        return try #require(answer.withLock { $0 }).get()
    }

    @Test func `A pinned object stays in the caches of all processes until it is unpinned`() throws {
        let cache = try fixture.cache(byteLimit: byteLimit)
        let kept = version("kept")
        try #expect(cache.open(kept).pin())
        try fixture.store(0..<30, of: cache.open(kept))
        let other = try fixture.cache(byteLimit: byteLimit)
        for number in 0..<8 { try fixture.store(0..<30, of: other.open(version("\(number)"))) }
        #expect(cache.open(kept).present(among: 0..<30) == [0..<30])
        #expect(cache.look(at: kept, isUse: false).isPinned)
        try #expect(release(in: cache) { $0 == "kept" }.objectCount == 1)
        try #expect(release(in: cache) { $0 == "kept" }.objectCount == 0)
        for number in 8..<16 { try fixture.store(0..<30, of: other.open(version("\(number)"))) }
        #expect(cache.open(kept).present(among: 0..<30).isEmpty)
    }

    @Test func `A pinned object is not punched while it is open, and can be pinned before any block is stored`() throws
    {
        let cache = try fixture.cache(byteLimit: byteLimit)
        let object = cache.open(version("kept", blocks: 60))
        try #expect(object.pin())
        #expect(cache.look(at: version("kept", blocks: 60), isUse: false).cachedByteCount == 0)
        try fixture.store(0..<20, of: object)
        let big = cache.open(version("big", blocks: 200))
        for start in stride(from: 0, to: 200, by: 20) { try fixture.store(start..<start + 20, of: big) }
        #expect(object.present(among: 0..<60) == [0..<20])
    }

    @Test func `At most four fifths of the cache can be pinned`() throws {
        let cache = try fixture.cache(byteLimit: byteLimit)
        let before = try room(of: cache)
        #expect(before.pinnedByteCount == 0)
        #expect(before.pinnableByteCount <= byteLimit / 100 * 80)
        #expect(before.fillableByteCount < byteLimit)
        try #expect(cache.open(version("a", blocks: 50)).pin())
        try #expect(cache.open(version("b", blocks: 50)).pin())
        try #expect(cache.open(version("b", blocks: 50)).pin(), "it is already")
        try #expect(!cache.open(version("c", blocks: 10)).pin())
        let after = try room(of: cache)
        #expect(after.pinnedByteCount > 100 * Block.byteCount && after.pinnedByteCount < 101 * Block.byteCount)
        // Another process knows it after its count.
        let other = try fixture.cache(byteLimit: byteLimit)
        try #expect(room(of: other).pinnedByteCount == after.pinnedByteCount)
        try #expect(!other.open(version("c", blocks: 10)).pin())
        _ = try release(in: other) { _ in true }
        try #expect(other.open(version("c", blocks: 10)).pin())
    }

    @Test func `An object stays pinned when it is dropped because of damage`() throws {
        let cache = try fixture.cache()
        let kept = version("kept", blocks: 8)
        let object = cache.open(kept)
        try #expect(object.pin())
        try fixture.store(0..<8, of: object)
        // Sealed now: damage can't be repaired.
        _ = try fixture.completeFile(of: object)
        try fixture.flip(fixture.path(of: object, ".data"), at: 3 * Block.byteCount)
        let damagedCount = Mutex<Int?>(nil)
        object.check(0..<8) { count in damagedCount.withLock { $0 = count } }
        try eventually("the end of the check") { damagedCount.withLock { $0 != nil } }
        #expect(damagedCount.withLock { $0 } == 1)
        let now = cache.look(at: kept, isUse: false)
        #expect(now.isPinned && now.cachedByteCount == 0)
        try fixture.store(0..<8, of: object)
        #expect(cache.look(at: kept, isUse: false).cachedByteCount == kept.byteCount)
    }

    @Test func `Pinned objects are found, counted and cleared without a mount`() throws {
        let cache = try fixture.cache()
        try #expect(cache.open(version("kept", blocks: 2)).pin())
        try fixture.store(0..<2, of: cache.open(version("other", blocks: 2)))
        let directory = try DiskCacheDirectory(fixture.directory)
        var keptKeys: [Key] = []
        try directory.forEachObject { if $0.isPinned { keptKeys.append($0.version.key) } }
        #expect(keptKeys == ["kept"])
        let clearance = try directory.clear()
        #expect(clearance.objectCount == 2 && clearance.pinnedCount == 1)
        #expect(!cache.look(at: version("kept", blocks: 2), isUse: false).isPinned)
    }

    /// The index of an older version, which knew no pins and punched holes.
    @Test func `A pinned object that an older version of tractfs has punched is no longer pinned`() throws {
        let cache = try fixture.cache()
        let object = cache.open(version("kept", blocks: 2))
        try #expect(object.pin())
        try fixture.overwrite(
            fixture.path(of: object, ".index"), at: IndexHeader.punchOffset, with: IndexHeader.bytes(7))
        #expect(!cache.look(at: version("kept", blocks: 2), isUse: false).isPinned)
    }
}
