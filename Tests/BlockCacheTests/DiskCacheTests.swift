import ObjectStore
import Synchronization
import TestSupport
import Testing

@testable import BlockCache

@Suite("Disk cache") struct DiskCacheTests {
    private let fixture: DiskFixture
    /// Ten blocks, the last one not full.
    private let version = DiskFixture.version("sub-01/bold.nii.gz", byteCount: 9 * Block.byteCount + 1234)

    init() throws {
        fixture = try DiskFixture()
    }

    @Test func `An object without stored blocks has no blocks and no files on the disk`() throws {
        let object = try fixture.cache().open(version)
        #expect(object.present(among: 0..<10).isEmpty)
        #expect(object.completeFile == nil)
        #expect(try fixture.load(0..<1, of: object).end == 0)
        #expect(try Shell.run("find '\(fixture.directory)' -name '*.*'").isEmpty)
    }

    @Test func `Exactly the stored blocks are on the disk`() throws {
        let object = try fixture.cache().open(version)
        try fixture.store([1, 2, 3, 7, 9], of: object)
        #expect(object.present(among: 0..<10) == [1..<4, 7..<8, 9..<10])
        #expect(object.present(among: 2..<8) == [2..<4, 7..<8])
        #expect(object.present(among: 10..<20).isEmpty)
        #expect(try fixture.load(1..<4, of: object) == (4, true))
        #expect(try fixture.load(9..<10, of: object) == (10, true))
        #expect(try fixture.load(7..<10, of: object) == (8, true), "block 8 is missing, and ends it")
        #expect(object.completeFile == nil)
    }

    @Test func `A stored block is released after it was written`() throws {
        let object = try fixture.cache().open(version)
        let freeBlockCount = fixture.freeBlockCount
        try fixture.store(0..<10, of: object)
        try eventually("the blocks are free") { fixture.freeBlockCount == freeBlockCount }
        try eventually("that is told") { fixture.releaseCount.load(ordering: .relaxed) > 0 }
    }

    @Test func `A full queue of the disk cache refuses blocks`() throws {
        let object = try fixture.cache(queueByteLimit: 0).open(version)
        #expect(!object.store(try fixture.block(0, of: version), at: 0))
    }

    @Test func `The next process finds the stored blocks`() throws {
        let first = try fixture.cache()
        let object = first.open(version)
        for index in 0..<10 { object.store(try fixture.block(index, of: version), at: index) }
        first.shutdown()
        #expect(!object.store(try fixture.block(0, of: version), at: 0), "nobody writes it any more")
        let again = try fixture.cache().open(version)
        #expect(again.present(among: 0..<10) == [0..<10])
        #expect(try fixture.load(0..<10, of: again) == (10, true))
    }

    @Test func `Two disk caches in one directory find each other's blocks`() throws {
        let objects = [try fixture.cache().open(version), try fixture.cache().open(version)]
        try fixture.store(0..<3, of: objects[0])
        #expect(objects[1].present(among: 0..<10) == [0..<3])
        try fixture.store(2..<10, of: objects[1])
        #expect(objects[0].present(among: 0..<10) == [0..<10])
        for object in objects {
            #expect(try fixture.load(0..<10, of: object) == (10, true))
            #expect(try fixture.isRight(fixture.completeFile(of: object), of: version))
        }
    }

    @Test func `Another version, size, key or bucket has other blocks on the disk`() throws {
        let cache = try fixture.cache()
        try fixture.store(0..<10, of: cache.open(version))
        let others = [
            DiskFixture.version("sub-01/bold.nii.gz", byteCount: version.byteCount, etag: "\"2\""),
            DiskFixture.version("sub-01/bold.nii.gz", byteCount: version.byteCount - 1),
            DiskFixture.version("sub-02/bold.nii.gz", byteCount: version.byteCount),
        ]
        for other in others { #expect(cache.open(other).present(among: 0..<10).isEmpty) }
        let names = [CacheIdentity(source: "a", version: version), CacheIdentity(source: "b", version: version)].map(
            \.name)
        #expect(names[0] != names[1])
    }

    @Test func `A complete object is handed over as a file, the same file each time`() throws {
        let cache = try fixture.cache()
        let object = cache.open(version)
        try fixture.store(0..<10, of: object)
        let file = try fixture.completeFile(of: object)
        #expect(try fixture.isRight(file, of: version))
        #expect(object.completeFile === file)
    }

    @Test func `An object stored by another process is checked before it is handed over as a file`() throws {
        let first = try fixture.cache()
        try fixture.store(0..<10, of: first.open(version))
        first.shutdown()
        let object = try fixture.cache().open(version)
        #expect(try fixture.isRight(fixture.completeFile(of: object), of: version))
    }

    @Test(arguments: [1, Block.byteCount, 3 * Block.byteCount + 7])
    func `A small object is written and handed over as a file at once`(byteCount: Int) throws {
        let small = DiskFixture.version("small", byteCount: byteCount)
        let object = try fixture.cache().open(small)
        let blocks = try (0..<object.identity.blockCount).map { try fixture.block($0, of: small) }
        let answer = Mutex<CompleteFile??>(nil)
        object.complete(with: blocks) { file in answer.withLock { $0 = .some(file) } }
        try eventually("it is complete") { answer.withLock { $0 != nil } }
        let file = try #require(answer.withLock { $0 ?? nil })
        #expect(try fixture.isRight(file, of: small))
    }

    @Test func `A disk cache that was shut down answers at once, without blocks`() throws {
        let cache = try fixture.cache()
        let object = cache.open(version)
        try fixture.store(0..<10, of: object)
        cache.shutdown()
        #expect(try fixture.load(0..<10, of: object).end == 0)
        let answer = Mutex<Bool?>(nil)
        let blocks = try (0..<10).map { try fixture.block($0, of: version) }
        object.complete(with: blocks) { file in answer.withLock { $0 = file == nil } }
        #expect(answer.withLock { $0 } == true)
    }
}
