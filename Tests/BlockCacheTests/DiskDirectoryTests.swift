import Glibc
import Logging
import ObjectStore
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import BlockCache

@Suite("Disk cache: directory") struct DiskDirectoryTests {
    private let fixture: DiskFixture
    private let version = DiskFixture.version("f", byteCount: 3 * Block.byteCount)

    init() throws {
        fixture = try DiskFixture()
    }

    /// A directory that can't be used for a cache.
    struct Unsafe: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let command: String
        let advice: String
        var needsRoot = false
    }

    static let unsafe = [
        Unsafe(
            testDescription: "a symbolic link", command: "mkdir -m 700 D.real && ln -s D.real D",
            advice: "is a symbolic link; give the directory itself"),
        Unsafe(testDescription: "a link to nowhere", command: "ln -s /nowhere D", advice: "is a symbolic link"),
        Unsafe(testDescription: "a file", command: "touch D", advice: "is not a directory; give another one"),
        Unsafe(
            testDescription: "writable for its group", command: "mkdir -m 770 D",
            advice: "is writable for others (mode 770); give another one"),
        Unsafe(
            testDescription: "writable for all", command: "mkdir D && chmod 1777 D",
            advice: "is writable for others (mode 1777); give another one"),
        Unsafe(
            testDescription: "another user's", command: "mkdir -m 700 D && chown 65534 D",
            advice: "belongs to another user (uid 65534)", needsRoot: true),
    ]

    @Test(arguments: unsafe) func `An unsafe cache directory is refused with a remedy`(
        unsafe: Unsafe
    ) throws {
        if unsafe.needsRoot && geteuid() != 0 { return }
        let folder = fixture.directory.removingLastComponent()
        try Shell.run("cd '\(folder)' && \(unsafe.command.replacing("D", with: "cache"))")
        let error = try #require(throws: DiskCacheError.self) { try fixture.cache() }
        #expect("\(error)".contains(unsafe.advice))
        #expect("\(error)".contains(fixture.directory.string))
        try Shell.run("rm -rf '\(folder)'/cache*")
    }

    @Test func `The cache directory and its parents are created for their owner only`() throws {
        let path = fixture.directory.appending("a").appending("b")
        let cache = try DiskCache(
            directory: path, byteLimit: DiskCache.minimumByteLimit, source: "s", queueByteLimit: 1 << 20,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        cache.shutdown()
        for made in [path, path.removingLastComponent(), fixture.directory] {
            #expect(LocalFile.status(ofPath: made.string).map { $0.mode & 0o7777 } == 0o700)
        }
    }

    @Test func `The files of the disk cache are accessible to their owner only`() throws {
        try fixture.store(0..<3, of: fixture.cache().open(version))
        #expect(try Shell.run("find '\(fixture.directory)' -perm /077").isEmpty)
    }

    @Test func `A disk limit below the minimum is refused`() throws {
        #expect(throws: DiskCacheError.limitTooSmall(byteLimit: 1)) { try fixture.cache(byteLimit: 1) }
    }

    @Test func `A missing cache directory can't be listed, and isn't created`() {
        #expect(throws: DiskCacheError.self) { try DiskCacheDirectory(fixture.directory) }
        #expect(LocalFile.status(ofPath: fixture.directory.string) == nil)
    }

    @Test func `The objects of a cache directory are listed without a mount`() throws {
        let cache = try fixture.cache()
        try fixture.store(0..<3, of: cache.open(version))
        let part = DiskFixture.version("Größe/\u{1b}part", byteCount: 9 * Block.byteCount + 5)
        try fixture.store([2, 9], of: cache.open(part))
        var objects: [DiskCacheDirectory.Object] = []
        try DiskCacheDirectory(fixture.directory).forEachObject { objects.append($0) }
        objects.sort { $0.version.byteCount < $1.version.byteCount }
        #expect(objects.map(\.version) == [version, part])
        #expect(objects.map(\.source) == [cache.source, cache.source])
        #expect(objects.map(\.cachedByteCount) == [version.byteCount, Block.byteCount + 5])
        #expect(objects.map(\.isComplete) == [true, false])
        let now = Timestamp.now.seconds
        #expect(objects.allSatisfy { abs($0.lastUse.seconds - now) < 3600 })
    }

    @Test func `A verification finds and drops damaged blocks`() throws {
        let object = try fixture.cache().open(version)
        try fixture.store(0..<2, of: object)
        let sealed = object.cache.open(DiskFixture.version("sealed", byteCount: 3 * Block.byteCount))
        try fixture.store(0..<3, of: sealed)
        _ = try fixture.completeFile(of: sealed)
        for damaged in [object, sealed] {
            try fixture.flip(fixture.path(of: damaged, ".data"), at: Block.byteCount + 7)
        }
        let directory = try DiskCacheDirectory(fixture.directory)
        for expected: Set<DiskCacheDirectory.Damage?> in [[.blocks(1), .object], [nil]] {
            var found: [DiskCacheDirectory.Damage?] = []
            var byteCount = 0
            let nonsenseCount = try directory.verify(progress: { byteCount += $0 }) { found.append($1) }
            #expect(found.count == expected.count && Set(found) == expected && nonsenseCount == 0)
            #expect(byteCount == (expected == [nil] ? 1 : 5) * Block.byteCount)
        }
        #expect(object.present(among: 0..<3) == [0..<1])
    }

    @Test func `A verification drops objects with invalid files, and names them if it can`() throws {
        let cache = try fixture.cache()
        let objects = ["short", "noise", "fine"].map { cache.open(DiskFixture.version($0, byteCount: Block.byteCount)) }
        for object in objects { try fixture.store(0..<1, of: object) }
        #expect(truncate(fixture.path(of: objects[0], ".data"), 9) == 0)
        try fixture.overwrite(fixture.path(of: objects[1], ".index"), at: 0, with: [1, 2, 3])
        let directory = try DiskCacheDirectory(fixture.directory)
        var keys: Set<Key> = []
        try directory.forEachObject { keys.insert($0.version.key) }
        #expect(keys == ["fine"], "looking on changes nothing: both are found below")
        var found: [Key: DiskCacheDirectory.Damage?] = [:]
        #expect(try directory.verify { found[$0.version.key] = $1 } == 1)
        #expect(found == ["short": .object, "fine": nil])
        found = [:]
        #expect(try directory.verify { found[$0.version.key] = $1 } == 0)
        #expect(found == ["fine": nil])
    }

    @Test func `Clearing a cache directory removes the selected objects`() throws {
        let cache = try fixture.cache()
        for key in ["a", "b"] {
            try fixture.store(0..<1, of: cache.open(DiskFixture.version(key, byteCount: Block.byteCount)))
        }
        let directory = try DiskCacheDirectory(fixture.directory)
        let clearance = try directory.clear { source, version in
            #expect(source == cache.source)
            return version.key == "a"
        }
        #expect(clearance.objectCount == 1 && clearance.byteCount > Block.byteCount && clearance.lockedCount == 0)
        var keys: [Key] = []
        try directory.forEachObject { keys.append($0.version.key) }
        #expect(keys == ["b"])
    }

    @Test func `An object that another process has locked isn't cleared, and is counted`() throws {
        let object = try fixture.cache().open(version)
        try fixture.store(0..<1, of: object)
        let path = FilePath(fixture.path(of: object, "")).removingLastComponent()
        let shard = try LocalFile(path.string, O_RDONLY | O_DIRECTORY)
        #expect(shard.lock(.exclusive))
        let directory = try DiskCacheDirectory(fixture.directory)
        #expect(try directory.clear() == DiskCacheDirectory.Clearance(lockedCount: 1))
        shard.unlock()
        #expect(try directory.clear().objectCount == 1)
    }

    @Test func `A cleared cache directory is empty, and open objects continue`() throws {
        let cache = try fixture.cache()
        let object = cache.open(version)
        try fixture.store(0..<3, of: object)
        let file = try fixture.completeFile(of: object)
        let cleared = try DiskCacheDirectory(fixture.directory).clear()
        #expect(cleared.objectCount == 1 && cleared.byteCount >= version.byteCount)
        #expect(try Shell.run("find '\(fixture.directory)' -name '*.*'").isEmpty)
        #expect(cache.open(version).present(among: 0..<3).isEmpty)
        #expect(try fixture.isRight(file, of: version))
        #expect(try fixture.load(0..<3, of: object).areRight)
        let again = cache.open(version)
        try fixture.store(0..<3, of: again)
        #expect(try fixture.load(0..<3, of: again) == (3, true))
        #expect(try abs(cache.usedByteCount - fixture.diskUsage()) <= 64 << 10)
        #expect(fixture.log.warnings.isEmpty)
    }

    @Test func `After a failure of the disk, storing is suspended for a while`() {
        let path = fixture.directory
        let logger = Logger(label: "test") { [log = fixture.log] _ in log }
        let health = DiskHealth(of: path, logger: logger)
        health.noteFailure(Errno.noSpace)
        #expect(!health.mayStore)
        let impatient = DiskHealth(of: path, pause: .zero, logger: logger)
        for _ in 0..<3 {
            impatient.noteFailure(Errno.noSpace)
            #expect(impatient.mayStore)
        }
        impatient.noteSuccess()
        #expect(fixture.log.warnings.count == 2, "one each")
    }
}
