import Namespace
import ObjectStore
import TestSupport
import Testing

@testable import SQLiteArchive

@Suite("What the archive forgets") struct ForgettingTests {
    @Test func `A forgotten listing is gone at once, even if it was queued or read before`() throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            let archive = try fixture.archive()
            archive.store(["a/", "a/b/", "b/"].map { ArchiveFixture.listing($0, using: &random) })
            // Reads the following listings ahead.
            #expect(archive.listing("a/") != nil)
            archive.keep(ArchiveFixture.listing("a/c/", using: &random))
            archive.forget(KeyInterval(prefix: "a/"))
            for prefix: Key in ["a/", "a/b/", "a/c/"] { #expect(archive.listing(prefix) == nil) }
            archive.waitUntilDone()
            for prefix: Key in ["a/", "a/b/", "a/c/"] { #expect(archive.listing(prefix) == nil) }
            #expect(archive.listing("b/") != nil)
            archive.shutdown()
            let next = try fixture.archive()
            for prefix: Key in ["a/", "a/b/", "a/c/"] { #expect(next.listing(prefix) == nil) }
        }
    }

    @Test func `A forgotten listing can be stored again`() throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: 1)
            let archive = try fixture.archive()
            archive.forget(KeyInterval(prefix: ""))
            let listing = ArchiveFixture.listing("a/", using: &random)
            archive.store([listing])
            #expect(archive.found("a/") == ComparableListing(listing))
        }
    }

    @Test func `Too many requests to forget listings forget all of them`() {
        let queue = ArchiveQueue(byteLimit: 1 << 20)
        for index in 0..<10 * ArchiveQueue.doomedCountMax { queue.forget(KeyInterval(prefix: Key("\(index)/"))) }
        #expect(queue.doomedCount == ArchiveQueue.doomedCountMax + 1)
        #expect(queue.forgetCount(unlessDoomed: "anything/") == nil)
    }

    @Test func `A listing is forgotten again if that is requested while it is being forgotten`() {
        let queue = ArchiveQueue(byteLimit: 1 << 20)
        for _ in 0..<2 { queue.forget(.all) }
        #expect(queue.doomedCount == 1, "it has not begun")
        _ = queue.next()
        for _ in 0..<2 { queue.forget(.all) }
        #expect(queue.doomedCount == 2)
        queue.finish(isForgotten: true)
        #expect(queue.doomedCount == 1)
        guard case .forget(.all) = queue.next() else {
            Issue.record("the second was lost")
            return
        }
    }

    /// Stores, forgets and requests at random, and compares with a dictionary.
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `The archive forgets the same listings as a dictionary`(seed: UInt64) throws {
        try withArchiveFixture { fixture in
            var random = SeededGenerator(seed: seed)
            var archive = try fixture.archive()
            var model: [Key: ComparableListing] = [:]
            var time = ArchiveFixture.monday
            for _ in 0..<60 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0..<4:
                    for _ in 0..<Int.random(in: 1...40, using: &random) {
                        time = time.later(1)
                        let blockCount = Int.random(in: 0...3, using: &random)
                        let listing = ArchiveFixture.listing(
                            Self.prefix(using: &random), at: time, blockCount: blockCount, upTo: 100, using: &random)
                        archive.keep(listing)
                        model[listing.prefix] = ComparableListing(listing)
                    }
                case 4..<6:
                    let prefix = Self.prefix(using: &random)
                    // A tree, or one directory.
                    let doomed =
                        Bool.random(using: &random)
                        ? KeyInterval(prefix: prefix) : KeyInterval(lower: prefix, upper: Key(prefix.bytes + [0]))
                    archive.forget(doomed)
                    model = model.filter { !doomed.contains($0.key) }
                    // Without waiting.
                    for _ in 0..<20 {
                        let prefix = Self.prefix(using: &random)
                        if doomed.contains(prefix) { #expect(archive.found(prefix) == nil) }
                    }
                case 6:
                    archive.shutdown()
                    archive = try fixture.archive()
                default:
                    archive.waitUntilDone()
                    // A listing read ahead may be older than one stored since, but never older than the last forget.
                    let reader = try fixture.archive()
                    for _ in 0..<40 {
                        let prefix = Self.prefix(using: &random)
                        #expect(reader.found(prefix) == model[prefix])
                        if model[prefix] == nil { #expect(archive.found(prefix) == nil) }
                    }
                    reader.shutdown()
                }
            }
        }
    }

    /// Returns one of a few hundred prefixes, many of which begin with each other.
    private static func prefix(using random: inout SeededGenerator) -> Key {
        let names = ["a", "b", "a-b", "é", "a b"]
        let depth = Int.random(in: 0...3, using: &random)
        return Key((0..<depth).map { _ in (names.randomElement(using: &random) ?? "a") + "/" }.joined())
    }
}
