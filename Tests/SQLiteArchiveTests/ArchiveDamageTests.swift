import Foundation
import GRDB
import Namespace
import ObjectStore
import SystemPackage
import TestSupport
import Testing

@testable import SQLiteArchive

@Suite("The archive, when its file") struct ArchiveDamageTests {
    /// A file that is not one of our archives.
    struct Intruder: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// Converts the file at this path into that kind.
        let make: @Sendable (_ path: String) throws -> Void
    }

    static let intruders = [
        Intruder(testDescription: "is text") {
            try Data("Dear diary, ".utf8 + [UInt8](repeating: 65, count: 9_000)).write(to: URL(filePath: $0))
        },
        Intruder(testDescription: "is another program's database") { path in
            try FileManager.default.removeItem(atPath: path)
            try DatabaseQueue(path: path).write { try $0.execute(sql: "CREATE TABLE letter (text TEXT)") }
        },
        Intruder(testDescription: "is of a later version") { path in
            try DatabaseQueue(path: path).write { try $0.execute(sql: "PRAGMA user_version = 1000") }
        },
        Intruder(testDescription: "has lost its tables") { path in
            try DatabaseQueue(path: path).write { try $0.execute(sql: "DROP TABLE listing") }
        },
        Intruder(testDescription: "has another table of that name") { path in
            try DatabaseQueue(path: path).write {
                try $0.execute(sql: "DROP TABLE listing; CREATE TABLE listing (id INTEGER PRIMARY KEY)")
            }
        },
        Intruder(testDescription: "was cut off in its first page") { path in
            try Data(contentsOf: URL(filePath: path)).prefix(1_000).write(to: URL(filePath: path))
        },
        Intruder(testDescription: "begins with zeros") { path in
            let rest = try Data(contentsOf: URL(filePath: path)).dropFirst(4_096)
            try (Data(count: 4_096) + rest).write(to: URL(filePath: path))
        },
    ]

    @Test(arguments: intruders)
    func `A file that isn't an archive is set aside with one warning, and a new archive begins`(
        intruder: Intruder
    ) throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            let listings = (0..<100).map { ArchiveFixture.listing(Key("\($0)/"), using: &random) }
            try fixture.archive().store(listings)
            fixture.shutDown()
            try removeCompanions(of: fixture.database.string)
            try intruder.make(fixture.database.string)
            let archive = try fixture.archive()
            #expect(archive.listing("1/") == nil)
            archive.store([listings[0]])
            // Some damage is detected only in use: then the archive works again from the next mount on.
            archive.shutdown()
            let next = try fixture.archive()
            next.store([listings[1]])
            #expect(next.found("1/") == ComparableListing(listings[1]))
            #expect(fixture.log.warnings.count == 1, "\(fixture.log.warnings)")
            #expect(FileManager.default.fileExists(atPath: fixture.database.string + ".damaged"))
        }
    }

    @Test func `An archive whose file is a folder can't be opened, with a reason`() throws {
        try withArchiveFixture { fixture in
            _ = try fixture.folder()
            try FileManager.default.createDirectory(
                atPath: fixture.database.string, withIntermediateDirectories: false)
            #expect(throws: ArchiveError.self) { try fixture.archive() }
        }
    }

    @Test func `A damaged archive that another mount uses is left to that mount`() throws {
        try withArchiveFixture { fixture in
            let user = try fixture.archive()
            user.waitUntilDone()
            // Before this, the log contains the pages that are damaged now.
            try DatabaseQueue(path: fixture.database.string).inDatabase {
                try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
            let file = try FileHandle(forUpdating: URL(filePath: fixture.database.string))
            try file.write(contentsOf: Data(count: 100))
            try file.close()
            #expect(throws: ArchiveError.self) { try fixture.archive() }
            #expect(!FileManager.default.fileExists(atPath: fixture.database.string + ".damaged"))
        }
    }

    @Test func `A locked archive stores nothing, with one warning, and still finds its listings`() throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            let archive = try fixture.archive()
            let listings = ["a/", "b/", "c/"].map { ArchiveFixture.listing($0, using: &random) }
            archive.store([listings[0]])
            try DatabaseQueue(path: fixture.database.string).inDatabase { database in
                try database.execute(sql: "BEGIN IMMEDIATE")
                archive.store([listings[1]])
                archive.store([listings[1]])
                #expect(archive.found("a/") == ComparableListing(listings[0]))
                try database.execute(sql: "ROLLBACK")
            }
            #expect(fixture.log.warnings.count == 1, "\(fixture.log.warnings)")
            archive.store([listings[2]])
            #expect(try fixture.archive().found("c/") == ComparableListing(listings[2]))
        }
    }

    /// A listing that is found equals the stored one, whatever bytes are changed.
    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func `An archive with any damage returns no wrong listing, and logs at most one warning`(seed: UInt64) throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: seed)
            let listings = (0..<200).map { index in
                let blockCount = index % 50 == 0 ? 20 : 1
                return ArchiveFixture.listing(Key("\(index)/"), blockCount: blockCount, using: &random)
            }
            try fixture.archive().store(listings)
            fixture.shutDown()
            try damage(fixture.database.string, using: &random)
            guard let archive = try? fixture.archive() else { return }
            expectNothingWrong(archive, listings)
            archive.store(listings)
            archive.forget(KeyInterval(prefix: "1"))
            archive.waitUntilDone()
            expectNothingWrong(archive, listings)
            #expect(fixture.log.warnings.count <= 2, "\(fixture.log.warnings)")
        }
    }

    private func expectNothingWrong(_ archive: SQLiteArchive, _ listings: [ArchivedListing]) {
        for listing in listings {
            guard let found = archive.found(listing.prefix) else { continue }
            #expect(found == ComparableListing(listing))
        }
    }

    /// Changes some bytes, moves pages, or truncates the file.
    private func damage(_ path: String, using random: inout SeededGenerator) throws {
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        for _ in 0..<Int.random(in: 1...200, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        let pageCount = bytes.count / 4_096
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            // The first page is the header: without it the file is not ours.
            let pages = (0..<2).map { _ in Int.random(in: 1..<pageCount, using: &random) * 4_096 }
            bytes.replaceSubrange(pages[0]..<pages[0] + 4_096, with: bytes[pages[1]..<pages[1] + 4_096])
        }
        if Int.random(in: 0..<4, using: &random) == 0 {
            bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
        }
        try Data(bytes).write(to: URL(filePath: path))
    }

    /// Removes the files that belong to the previous database.
    private func removeCompanions(of path: String) throws {
        for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
}
