import Glibc
import ObjectStore
import SystemPackage
import TestSupport
import Testing

@testable import BlockCache

@Suite("Disk cache: damage") struct DiskDamageTests {
    /// Damage done to an object's files.
    struct Harm: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// `true` if the log must contain a warning; missing files cause none.
        let isTold: Bool
        let run: @Sendable (DiskFixture, DiskObject) throws -> Void
    }

    static let harms = [
        Harm(testDescription: "a bit of a block flipped", isTold: true) { fixture, object in
            try fixture.flip(fixture.path(of: object, ".data"), at: 3 * Block.byteCount + 77)
        },
        Harm(testDescription: "the last byte flipped", isTold: true) { fixture, object in
            try fixture.flip(fixture.path(of: object, ".data"), at: object.identity.byteCount - 1)
        },
        Harm(testDescription: "the data cut off", isTold: true) { fixture, object in
            #expect(truncate(fixture.path(of: object, ".data"), off_t(3 * Block.byteCount + 5)) == 0)
        },
        Harm(testDescription: "the data emptied", isTold: true) { fixture, object in
            #expect(truncate(fixture.path(of: object, ".data"), 0) == 0)
        },
        Harm(testDescription: "the data zeroed", isTold: true) { fixture, object in
            let zeros = [UInt8](repeating: 0, count: object.identity.byteCount)
            try fixture.overwrite(fixture.path(of: object, ".data"), at: 0, with: zeros)
        },
        Harm(testDescription: "the data of another object of the same size", isTold: true) { fixture, object in
            let other = object.cache.open(DiskFixture.version("other", byteCount: object.identity.byteCount))
            try fixture.store(0..<object.identity.blockCount, of: other)
            let paths = (fixture.path(of: object, ".data"), fixture.path(of: other, ".data"))
            try Shell.run("cp '\(paths.1)' '\(paths.0).tmp' && mv '\(paths.0).tmp' '\(paths.0)'")
        },
        Harm(testDescription: "the index of another object of the same size", isTold: true) { fixture, object in
            let other = object.cache.open(DiskFixture.version("other", byteCount: object.identity.byteCount))
            try fixture.store(0..<object.identity.blockCount, of: other)
            try Shell.run("cp '\(fixture.path(of: other, ".index"))' '\(fixture.path(of: object, ".index"))'")
        },
        Harm(testDescription: "two blocks changed places", isTold: true) { fixture, object in
            let blocks = DiskFixture.content(of: object.identity.version, Block.byteCount..<2 * Block.byteCount)
            try fixture.overwrite(fixture.path(of: object, ".data"), at: 2 * Block.byteCount, with: blocks)
        },
        Harm(testDescription: "noise over the index", isTold: true) { fixture, object in
            let noise = (0..<512).map { _ in UInt8.random(in: 1...255) }
            try fixture.overwrite(fixture.path(of: object, ".index"), at: 0, with: noise)
        },
        Harm(testDescription: "noise over the checksums", isTold: true) { fixture, object in
            let noise = (0..<64).map { _ in UInt8.random(in: 1...255) }
            let offset = IndexHeader.byteCount(for: object.identity)
            try fixture.overwrite(fixture.path(of: object, ".index"), at: offset, with: noise)
        },
        Harm(testDescription: "the index emptied", isTold: false) { fixture, object in
            #expect(truncate(fixture.path(of: object, ".index"), 0) == 0)
        },
        Harm(testDescription: "the index removed", isTold: false) { fixture, object in
            #expect(unlink(fixture.path(of: object, ".index")) == 0)
        },
        Harm(testDescription: "the data removed", isTold: false) { fixture, object in
            #expect(unlink(fixture.path(of: object, ".data")) == 0)
        },
        Harm(testDescription: "a symbolic link in place of the data", isTold: false) { fixture, object in
            let path = fixture.path(of: object, ".data")
            try Shell.run("mv '\(path)' '\(path).elsewhere' && ln -s '\(path).elsewhere' '\(path)'")
        },
        Harm(testDescription: "a named pipe in place of the index", isTold: false) { fixture, object in
            let path = fixture.path(of: object, ".index")
            try Shell.run("rm '\(path)' && mkfifo '\(path)'")
        },
        Harm(testDescription: "everything removed", isTold: false) { fixture, _ in
            try Shell.run("rm -rf '\(fixture.directory)'/*")
        },
        Harm(testDescription: "the directory removed", isTold: false) { fixture, _ in
            try Shell.run("rm -rf '\(fixture.directory)'")
        },
    ]

    private let fixture: DiskFixture
    private let version = DiskFixture.version("harmed", byteCount: 9 * Block.byteCount + 1234)

    init() throws {
        fixture = try DiskFixture()
    }

    @Test(arguments: harms) func `No wrong byte is read from an open object, whatever happens to its files`(
        harm: Harm
    ) throws {
        let object = try fixture.cache().open(version)
        try fixture.store(0..<10, of: object)
        _ = try fixture.completeFile(of: object)
        try harm.run(fixture, object)
        try expectRightAndMended(object)
    }

    @Test(arguments: harms)
    func `No wrong byte is read from an object that is being stored, whatever happens to its files`(
        harm: Harm
    ) throws {
        let object = try fixture.cache().open(version)
        try fixture.store(0..<9, of: object)
        try harm.run(fixture, object)
        try expectRightAndMended(object)
    }

    @Test(arguments: harms) func `The next process reads no wrong byte, whatever happened to the files of an object`(
        harm: Harm
    ) throws {
        let first = try fixture.cache()
        let object = first.open(version)
        try fixture.store(0..<10, of: object)
        _ = try fixture.completeFile(of: object)
        try harm.run(fixture, object)
        first.shutdown()
        try expectRightAndMended(fixture.cache().open(version))
        if harm.isTold { #expect(fixture.log.warnings.count == 1) }
    }

    @Test func `Damaged blocks on the disk are counted, and logged once`() throws {
        let object = try fixture.cache().open(version)
        try fixture.store(0..<9, of: object)
        for index in 0..<9 { try fixture.flip(fixture.path(of: object, ".data"), at: index * Block.byteCount) }
        for index in 0..<9 { #expect(try fixture.load(index..<index + 1, of: object).end == index) }
        #expect(object.cache.damageCount == 9)
        #expect(fixture.log.warnings.count == 1)
        #expect(object.present(among: 0..<10).isEmpty)
    }

    @Test func `A file that was handed over stays unchanged when its object turns out to be damaged`() throws {
        let object = try fixture.cache().open(version)
        try fixture.store(0..<10, of: object)
        let file = try fixture.completeFile(of: object)
        let path = fixture.path(of: object, ".data")
        try fixture.flip(path, at: 5)
        // A request starts a check, unless an earlier check is still running.
        try eventually("the object is removed") { object.completeFile == nil && access(path, F_OK) != 0 }
        try fixture.store(0..<10, of: object)
        let mended = try fixture.completeFile(of: object)
        #expect(try fixture.isRight(mended, of: version))
        #expect(
            try LocalFile.status(of: file.descriptor.rawValue).inode
                != LocalFile.status(of: mended.descriptor.rawValue).inode)
    }

    /// Reads all present blocks, stores the absent ones, and expects the right bytes all the time.
    private func expectRightAndMended(_ object: DiskObject) throws {
        for _ in 0..<3 {
            var index = 0
            while index < 10 {
                let (end, areRight) = try fixture.load(index..<10, of: object)
                #expect(areRight)
                if end < 10 { try fixture.store(end...end, of: object) }
                index = end + 1
            }
            if let file = object.completeFile { #expect(try fixture.isRight(file, of: version)) }
        }
        let file = try fixture.completeFile(of: object)
        #expect(try fixture.isRight(file, of: version))
        #expect(fixture.log.warnings.count <= 1)
    }
}
