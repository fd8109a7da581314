import BlockCache
import ObjectStore
import Synchronization
import Testing

@Suite("Block cache") struct BlockCacheTests {
    /// The smallest possible cache.
    private let cache: BlockCache
    private let blockCount: Int
    private let object: ObjectID

    init() throws {
        cache = try BlockCache(byteLimit: BlockCache.minimumByteLimit)
        blockCount = BlockCache.minimumByteLimit / Block.byteCount
        object = cache.open(ObjectVersion(key: "f", etag: ETag("\"1\""), byteCount: 1 << 30))
    }

    @Test func `A memory limit below the minimum is refused`() {
        #expect(throws: BlockCacheError.self) { try BlockCache(byteLimit: BlockCache.minimumByteLimit - 1) }
    }

    @Test func `The blocks never use more memory than the limit`() {
        var blocks = cache.take(blockCount) ?? []
        #expect(blocks.count == blockCount)
        #expect(cache.take(1) == nil)
        #expect(cache.takeForPrefetch(1).isEmpty)
        blocks = []
        #expect(cache.inFlightBlockCount == 0)
        blocks = cache.take(blockCount) ?? []
        #expect(blocks.count == blockCount, "what was let go of is there again")
    }

    @Test func `A cached block is found with its bytes, and the least recently used block is evicted first`() throws {
        fill(0..<blockCount)
        _ = cache.blocks(of: object, at: 0..<1)
        _ = try #require(cache.take(2))
        let gone = (0..<blockCount).filter { cache.blocks(of: object, at: $0..<$0 + 1)[0] == nil }
        #expect(gone == [1, 2], "0 was used last")
        let block = try #require(cache.blocks(of: object, at: 5..<6)[0])
        #expect(block.bytes(0..<2).elementsEqual([5, 5]))
    }

    @Test func `Blocks that were read to their end are evicted first, unless they were requested again`() throws {
        fill(0..<blockCount)
        for index in [7, 3, 5] { read(index) }
        _ = cache.blocks(of: object, at: 3..<4)
        _ = try #require(cache.take(2))
        let gone = (0..<blockCount).filter { cache.missing(of: object, among: $0..<$0 + 1) == [$0] }
        #expect(gone == [5, 7])
    }

    @Test func `A stream reuses little memory`() throws {
        let cache = try BlockCache(byteLimit: 512 << 20)
        let object = cache.open(ObjectVersion(key: "f", etag: ETag("\"1\""), byteCount: 1 << 30))
        for index in 0..<8_192 {
            let block = try #require(cache.take(1)).first
            if let block { cache.insert(block, of: object, at: index) }
            _ = BlockLease([], of: object, consumed: index..<index + 1, from: cache)
        }
        #expect(cache.residentByteCount <= 10 << 20)
    }

    @Test func `A block in use is not evicted`() throws {
        fill(0..<blockCount)
        let held = cache.blocks(of: object, at: 0..<blockCount)
        #expect(cache.take(1) == nil)
        withExtendedLifetime(held) {}
    }

    @Test func `Prefetch leaves half of the memory to reads that are waited for`() throws {
        let ahead = cache.takeForPrefetch(blockCount)
        #expect(ahead.count == blockCount / 2)
        let demanded = try #require(cache.take(blockCount / 2))
        #expect(cache.takeForPrefetch(1).isEmpty)
        withExtendedLifetime((ahead, demanded)) {}
    }

    @Test func `Reads that wait for memory are served in order, and prefetch gets none meanwhile`() throws {
        var held = try #require(cache.take(blockCount))
        let served = Mutex<[Int]>([])
        for (index, count) in [3, 1].enumerated() {
            _ = cache.wait(for: count) { _ in served.withLock { $0.append(index) } }
        }
        held.removeLast(2)
        cache.serveWaiting()
        #expect(served.withLock { $0 } == [], "the first needs three, and the second waits its turn")
        #expect(cache.takeForPrefetch(1).isEmpty)
        #expect(cache.take(1) == nil)
        held.removeLast()
        cache.serveWaiting()
        #expect(served.withLock { $0 } == [0, 1])
    }

    @Test func `The blocks of a closed object stay cached, and belong to no other version`() throws {
        fill(0..<1)
        cache.close(object)
        #expect(cache.open(ObjectVersion(key: "f", etag: ETag("\"1\""), byteCount: 1 << 30)) == object)
        let other = cache.open(ObjectVersion(key: "f", etag: ETag("\"2\""), byteCount: 1 << 30))
        #expect(cache.blocks(of: object, at: 0..<1)[0] != nil)
        #expect(cache.blocks(of: other, at: 0..<1)[0] == nil)
    }

    /// Caches blocks whose bytes are their index.
    private func fill(_ indices: Range<Int>) {
        for index in indices {
            guard let block = cache.take(1)?.first else { return }
            [UInt8](repeating: UInt8(index), count: Block.byteCount).withUnsafeBytes { block.fill(at: 0, from: $0) }
            cache.insert(block, of: object, at: index)
        }
    }

    /// Reads a cached block to its end.
    private func read(_ index: Int) {
        _ = BlockLease([], of: object, consumed: index..<index + 1, from: cache)
    }
}
