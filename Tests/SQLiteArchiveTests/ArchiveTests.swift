import BlockCache
import Glibc
import Namespace
import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import SQLiteArchive

@Suite("The archive of listings") struct ArchiveTests {
    /// A listing of a certain shape.
    struct Shape: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let prefix: Key
        let blockCount: Int
    }

    static let shapes = [
        Shape(testDescription: "of an empty folder", prefix: "empty/", blockCount: 0),
        Shape(testDescription: "of a folder", prefix: "folder/", blockCount: 1),
        Shape(testDescription: "of a big folder", prefix: "big/", blockCount: 300),
        Shape(testDescription: "of the whole bucket", prefix: .empty, blockCount: 1),
        Shape(testDescription: "of a name of odd bytes", prefix: Key([0, 0xff, 0x27, 0x80, 0x2f]), blockCount: 2),
    ]

    @Test(arguments: shapes) func `The archive returns a listing as it was stored, also in the next process`(
        shape: Shape
    ) throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            let listing = ArchiveFixture.listing(shape.prefix, blockCount: shape.blockCount, using: &random)
            let archive = try fixture.archive()
            archive.store([listing])
            #expect(archive.found(shape.prefix) == ComparableListing(listing))
            archive.shutdown()
            #expect(archive.found(shape.prefix) == nil, "nothing is found after the end")
            #expect(try fixture.archive().found(shape.prefix) == ComparableListing(listing))
            #expect(fixture.log.messages == [])
        }
    }

    @Test func `The archive has no listing of other directories, or of another bucket`() throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            let archive = try fixture.archive()
            archive.store([ArchiveFixture.listing("a/b/", using: &random)])
            for prefix: Key in ["", "a/", "a/b", "a/b/c/", "a/c/", "b/"] { #expect(archive.found(prefix) == nil) }
            #expect(try fixture.archive(source: "aws/bucket").found("a/b/") == nil)
        }
    }

    @Test(arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]])
    func `The archive stores the newest listing of a directory, in any order of arrival`(order: [Int]) throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            // The older ones have more blocks, all of which must be removed.
            let listings = (0..<3).map {
                ArchiveFixture.listing("a/", at: ArchiveFixture.monday.later($0), blockCount: 3 - $0, using: &random)
            }
            let archive = try fixture.archive()
            for index in order { archive.store([listings[index]]) }
            #expect(try fixture.archive().found("a/") == ComparableListing(listings[2]))
        }
    }

    @Test func `The archive replaces a listing from the future, which a wrong clock has made`() throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            let archive = try fixture.archive()
            let now = Timestamp(seconds: time(nil))
            archive.store([ArchiveFixture.listing("a/", at: now.later(86_400), using: &random)])
            let right = ArchiveFixture.listing("a/", at: now, using: &random)
            archive.store([right])
            #expect(try fixture.archive().found("a/") == ComparableListing(right))
        }
    }

    @Test func `The archive requests the blocks of a listing one at a time while it writes them`() throws {
        try withArchiveFixture { fixture in
            let archive = try fixture.archive()
            let lazy = ArchivedListing(
                prefix: "a/", listedAt: ArchiveFixture.monday, blockCount: 3, byteCount: 3
            ) { [UInt8($0)] }
            archive.store([lazy])
            #expect(try fixture.archive().found("a/")?.blocks == [[0], [1], [2]])
        }
    }

    @Test func `The archive writes queued listings when it is shut down`() throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            let listings = (0..<2_000).map { ArchiveFixture.listing(Key("\($0)/"), upTo: 100, using: &random) }
            let archive = try fixture.archive()
            for listing in listings { archive.keep(listing) }
            archive.shutdown()
            let next = try fixture.archive()
            for listing in listings { #expect(next.found(listing.prefix) == ComparableListing(listing)) }
        }
    }

    @Test func `The queue of the archive stays within its limit, but accepts a single listing of any size`() throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            let archive = try fixture.archive(queueByteLimit: 100_000)
            let big = ArchiveFixture.listing("big/", blockCount: 100, upTo: 10_000, using: &random)
            archive.keep(big)
            for index in 0..<100 { archive.keep(ArchiveFixture.listing(Key("\(index)/"), using: &random)) }
            archive.waitUntilDone()
            let next = try fixture.archive()
            #expect(next.found("big/") == ComparableListing(big))
            #expect((0..<100).count { next.found(Key("\($0)/")) != nil } < 100)
        }
    }

    @Test func `The archive removes the oldest listings beyond its limit`() throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            let byteLimit = 4 << 20
            let archive = try fixture.archive(byteLimit: byteLimit)
            let listings = (0..<4_000).map { ArchiveFixture.listing(Key("\($0)/"), upTo: 5_000, using: &random) }
            for start in stride(from: 0, to: listings.count, by: 200) {
                archive.store(Array(listings[start..<start + 200]))
            }
            #expect(archive.found("0/") == nil)
            for listing in listings.suffix(400) {
                #expect(archive.found(listing.prefix) == ComparableListing(listing))
            }
            archive.shutdown()
            #expect(try fixture.folder().allocatedByteCount < byteLimit + 2 << 20)
            #expect(fixture.log.messages == [])
        }
    }

    /// Several mounts write the same directories at different times.
    @Test func `Several processes share the archive, and the newest listing of each directory wins`() throws {
        try withArchiveFixture { fixture in
            let archives = try (0..<3).map { _ in try fixture.archive() }
            let threads = archives.enumerated().map { index, archive in
                WorkerThread {
                    var random = SeededGenerator(seed: UInt64(index))
                    for round in 0..<20 {
                        for name in 0..<50 {
                            let time = ArchiveFixture.monday.later(round * 10 + (name + index) % 3)
                            let block = Array("\(name) \(time.seconds)".utf8)
                            archive.keep(ArchivedListing(prefix: Key("\(name)/"), listedAt: time, blocks: [block]))
                            let asked = Int.random(in: 0..<50, using: &random)
                            guard let found = archive.listing(Key("\(asked)/")) else { continue }
                            #expect(found.blocks == [Array("\(asked) \(found.listedAt.seconds)".utf8)])
                        }
                    }
                }
            }
            for thread in threads { thread.join() }
            for archive in archives { archive.waitUntilDone() }
            let next = try fixture.archive()
            for name in 0..<50 {
                #expect(next.listing(Key("\(name)/"))?.listedAt == ArchiveFixture.monday.later(19 * 10 + 2))
            }
            #expect(fixture.log.messages == [])
        }
    }
}
