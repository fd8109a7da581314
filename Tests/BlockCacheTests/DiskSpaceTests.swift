import Glibc
import Logging
import ObjectStore
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import BlockCache

@Suite("Disk cache: space") struct DiskSpaceTests {
    private let fixture: DiskFixture
    private let byteLimit = DiskCache.minimumByteLimit

    init() throws {
        fixture = try DiskFixture()
    }

    /// The disk usage that is tolerated for `--cache-size`.
    private var tolerated: Int { byteLimit / 100 * 105 }

    @Test func `Objects that are not in use are evicted, the least recently used first`() throws {
        let cache = try fixture.cache(byteLimit: byteLimit)
        let versions = (0..<4).map { DiskFixture.version("object \($0)", byteCount: 30 * Block.byteCount) }
        for version in versions { try fixture.store(0..<30, of: cache.open(version)) }
        try fixture.overwrite(
            fixture.path(of: cache.open(versions[0]), ".index"), at: IndexHeader.lastUseOffset,
            with: IndexHeader.bytes(IndexHeader.now))
        try fixture.store(0..<30, of: cache.open(DiskFixture.version("one more", byteCount: 30 * Block.byteCount)))
        let isThere = versions.map { !cache.open($0).present(among: 0..<30).isEmpty }
        #expect(isThere == [true, false, true, true])
        #expect(try fixture.diskUsage() <= tolerated)
    }

    @Test func `The disk limit holds for an object five times as big, and its last blocks are cached`() throws {
        let cache = try fixture.cache(byteLimit: byteLimit)
        let blockCount = 5 * byteLimit / Block.byteCount
        let object = cache.open(DiskFixture.version("big", byteCount: blockCount * Block.byteCount))
        var largest = 0
        for start in stride(from: 0, to: blockCount, by: 64) {
            try fixture.store(start..<min(start + 64, blockCount), of: object)
            largest = max(largest, try fixture.diskUsage())
        }
        #expect(largest <= tolerated)
        #expect(largest >= byteLimit / 2, "it is of use all the same")
        #expect(try fixture.load(blockCount - 32..<blockCount, of: object) == (blockCount, true))
        #expect(object.completeFile == nil)
        #expect(fixture.log.warnings.isEmpty)
    }

    @Test func `The disk limit holds for two caches that write at once`() throws {
        let caches = [try fixture.cache(byteLimit: byteLimit), try fixture.cache(byteLimit: byteLimit)]
        let objects = caches.enumerated().map { index, cache in
            (0..<8).map { cache.open(DiskFixture.version("\(index) \($0)", byteCount: 40 * Block.byteCount)) }
        }
        for number in 0..<8 {
            for start in stride(from: 0, to: 40, by: 20) {
                for index in start..<start + 20 {
                    for own in objects {
                        own[number].store(try fixture.block(index, of: own[number].identity.version), at: index)
                    }
                }
                for cache in caches { cache.waitUntilWritten() }
                let used = try fixture.diskUsage()
                #expect(used <= tolerated)
            }
        }
        for own in objects { #expect(try fixture.load(30..<40, of: own[7]).areRight) }
    }

    @Test func `A file that was handed over is neither removed nor punched when other blocks are stored`() throws {
        let cache = try fixture.cache(byteLimit: byteLimit)
        let version = DiskFixture.version("handed over", byteCount: 60 * Block.byteCount)
        var object: DiskObject? = cache.open(version)
        try fixture.store(0..<60, of: #require(object))
        let file = try fixture.completeFile(of: #require(object))
        object = nil
        for number in 0..<6 {
            let other = DiskFixture.version("other \(number)", byteCount: 30 * Block.byteCount)
            try fixture.store(0..<30, of: cache.open(other))
        }
        #expect(try fixture.isRight(file, of: version))
        #expect(cache.open(version).present(among: 0..<60) == [0..<60])
        #expect(try fixture.diskUsage() <= tolerated)
    }

    @Test func `Blocks are not stored while all cached objects are handed over as files`() throws {
        let cache = try fixture.cache(byteLimit: byteLimit)
        var files: [CompleteFile] = []
        for number in 0..<4 {
            let object = cache.open(DiskFixture.version("used \(number)", byteCount: 30 * Block.byteCount))
            try fixture.store(0..<30, of: object)
            files.append(try fixture.completeFile(of: object))
        }
        let object = cache.open(DiskFixture.version("too much", byteCount: 60 * Block.byteCount))
        try fixture.store(0..<60, of: object)
        #expect(try fixture.diskUsage() <= tolerated)
        #expect(fixture.log.warnings.isEmpty)
        #expect(try fixture.load(0..<1, of: object).areRight)
        withExtendedLifetime(files) {}
    }

    @Test func `The recorded disk usage is correct, even after a process that recorded a wrong one`() throws {
        let first = try fixture.cache()
        try fixture.store(0..<40, of: first.open(DiskFixture.version("f", byteCount: 40 * Block.byteCount)))
        #expect(try abs(first.usedByteCount - fixture.diskUsage()) <= 64 << 10)
        first.shutdown()
        for wrong: UInt64 in [0, 1 << 40, .max] {
            try fixture.overwrite("\(fixture.directory)/usage", at: 0, with: IndexHeader.bytes(wrong))
            let cache = try fixture.cache()
            try eventually("it is right") { try abs(cache.usedByteCount - fixture.diskUsage()) <= 64 << 10 }
            cache.shutdown()
        }
    }

    @Test(arguments: ["rm usage", "head -c 16 /dev/zero > usage", "head -c 16 /dev/zero | tr '\\0' '\\377' > usage"])
    func `The recorded disk usage is correct after a count during which it was lost or overwritten`(
        harm: String
    ) throws {
        let usage = try CacheDirectory(making: fixture.directory).usage
        usage.correct(counted: 0, since: usage.account)
        usage.add(10 << 20)
        let begin = usage.account
        try Shell.run("cd '\(fixture.directory)' && \(harm)")
        usage.correct(counted: 4_096, since: begin)
        #expect(usage.byteCount >= 4_096)
        usage.correct(counted: 4_096, since: usage.account)
        #expect(usage.byteCount == 4_096)
    }

    @Test func `If all cached objects are in use, eviction is suspended after one scan`() throws {
        let cache = try fixture.cache()
        let object = cache.open(DiskFixture.version("used", byteCount: 80 * Block.byteCount))
        try fixture.store(0..<80, of: object)
        let file = try fixture.completeFile(of: object)
        let log = fixture.log
        let space = DiskSpace(byteLimit: 8 << 20, health: cache.health, logger: Logger(label: "test") { _ in log })
        for _ in 0..<3 { try space.evict(for: 0, in: cache.directory) }
        #expect(log.messages.count { $0.contains("evicted 0 of") } == 1)
        withExtendedLifetime(file) {}
    }

    @Test func `Nothing is evicted while the disk usage is unknown`() throws {
        let cache = try fixture.cache()
        let version = DiskFixture.version("f", byteCount: 4 * Block.byteCount)
        try fixture.store(0..<4, of: cache.open(version))
        let usage = try LocalFile("\(fixture.directory)/usage", O_RDWR)
        #expect(usage.lock(.exclusive))
        #expect(throws: Errno.resourceTemporarilyUnavailable) { try cache.space.evict(for: 0, in: cache.directory) }
        usage.unlock()
        #expect(cache.open(version).present(among: 0..<4) == [0..<4])
    }

    @Test func `An object with an index that is too big for the cache isn't stored`() throws {
        let object = try fixture.cache(byteLimit: byteLimit).open(DiskFixture.version("huge", byteCount: 1 << 40))
        #expect(!object.store(try fixture.block(), at: 0))
        #expect(object.present(among: 0..<10).isEmpty)
    }

    @Test func `Incomplete files of dead processes are removed`() throws {
        let first = try fixture.cache()
        let object = first.open(DiskFixture.version("f", byteCount: 2 * Block.byteCount))
        try fixture.store(0..<2, of: object)
        first.shutdown()
        let path = fixture.path(of: object, "")
        try Shell.run("cp '\(path).data' '\(path.dropLast(2))00.data'; cp '\(path).index' '\(path.dropLast(2))01.new'")
        let cache = try fixture.cache()
        try eventually("they are gone") {
            try Shell.run("find '\(fixture.directory)/objects' -type f").split(separator: "\n").count == 2
        }
        #expect(try fixture.load(0..<2, of: cache.open(object.identity.version)) == (2, true))
    }

    @Test(.enabled(if: Tmpfs.canMount, "only root may mount a small disk"))
    func `A full disk is logged once, and reading continues`()
        throws
    {
        try Tmpfs.with(byteCount: 8 << 20) { folder in
            let fixture = try DiskFixture(in: folder)
            let cache = try fixture.cache()
            let kept = cache.open(DiskFixture.version("kept", byteCount: 20 * Block.byteCount))
            try fixture.store(0..<20, of: kept)
            let file = try fixture.completeFile(of: kept)
            try Shell.run("head -c 20M /dev/zero > '\(folder)/filler' 2>/dev/null; true")
            let object = cache.open(DiskFixture.version("f", byteCount: 40 * Block.byteCount))
            try fixture.store(0..<40, of: object)
            #expect(fixture.log.warnings.count == 1)
            #expect(!object.store(try fixture.block(), at: 0), "it isn't tried at once again")
            #expect(try fixture.load(0..<40, of: object).areRight)
            #expect(try fixture.load(0..<20, of: kept) == (20, true))
            #expect(try fixture.isRight(file, of: kept.identity.version))
            cache.shutdown()
        }
    }

    @Test(.enabled(if: Tmpfs.canMount, "only root may mount a small disk"))
    func `A cache on a disk that has become read-only is still read`()
        throws
    {
        try Tmpfs.with(byteCount: 16 << 20) { folder in
            let fixture = try DiskFixture(in: folder)
            let version = DiskFixture.version("f", byteCount: 20 * Block.byteCount)
            try fixture.store(0..<10, of: fixture.cache().open(version))
            fixture.shutDown()
            try Shell.run("mount -o remount,ro '\(folder)'")
            let cache = try fixture.cache()
            let object = cache.open(version)
            #expect(try fixture.load(0..<10, of: object) == (10, true))
            try fixture.store(10..<20, of: object)
            #expect(try fixture.load(0..<20, of: object) == (10, true))
            #expect(fixture.log.warnings.count == 1)
            cache.shutdown()
        }
    }
}

/// A small disk in memory.
enum Tmpfs {
    /// `true` if this process may mount a tmpfs.
    static let canMount: Bool = (try? with(byteCount: 1 << 20) { _ in }) != nil

    /// Mounts a tmpfs during `body`.
    static func with(byteCount: Int, _ body: (FilePath) throws -> Void) throws {
        try withTemporaryDirectory { folder in
            try Shell.run("mount -t tmpfs -o size=\(byteCount) tractfs-test '\(folder)' 2>/dev/null")
            defer { _ = try? Shell.run("umount -l '\(folder)'") }
            try body(FilePath(folder))
        }
    }
}
