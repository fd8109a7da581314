import Logging
import ObjectStore
import Synchronization
import SystemSupport
import Testing
import TestSupport

@testable import Namespace

@Suite("Known tree") struct KnownTreeTests {
    @Test(
        "up to where all is known is true, and goes no further only where something isn't known", arguments: 0..<200)
    func knownEnd(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let keys = oddKeys(count: Int.random(in: 0...60, using: &random), using: &random)
        let root: Key = ["", "", "a/", "a-/"].randomElement(using: &random) ?? ""
        let tree = namespace(on: InMemoryStore(), root: root).tree
        let pages = try randomPages(of: contents(of: keys), below: root, using: &random)
        for page in pages {
            tree.absorb(page, askedAt: .now)
            let places = keys + oddKeys(count: 5, using: &random) + [root]
            let asked = places.map { $0.hasPrefix(root) ? $0 : root.appending($0.bytes) }
            for start in asked.shuffled(using: &random).prefix(8) {
                let context: Comment = "from \(start) below \(root), seed \(seed)"
                let end = tree.knownEnd(from: start, below: root, visiting: .max)
                for key in keys where key >= start && key.hasPrefix(root) && end.map({ key < $0 }) ?? true {
                    #expect(isKnown(key, below: root, in: tree), "\(key), \(context)")
                }
                guard let end else { continue }
                #expect(end >= start, context)
                #expect(!isKnown(end, below: root, in: tree), "\(end), \(context)")
                #expect(tree.knownEnd(from: end, below: root, visiting: .max) == end, context)
                let near = tree.knownEnd(from: start, below: root, visiting: 1)
                #expect(near.map { $0 <= end } ?? false, context)
            }
        }
        let all = try pagesOfEverything(keys, below: root, using: &random)
        for page in all { tree.absorb(page, askedAt: .now) }
        #expect(tree.knownEnd(from: root, below: root, visiting: .max) == nil, "seed \(seed)")
    }

    private func pagesOfEverything(
        _ keys: [Key], below root: Key, using random: inout SeededGenerator
    ) throws -> [ProvenPage] {
        let request = ListRequest(prefix: root, isDelimited: false)
        return try pages(of: contents(of: keys), request, limits: 1...7, using: &random).shuffled(using: &random)
    }

    /// Whether it is known what there is at `key`: at each of the directories that lead there.
    private func isKnown(_ key: Key, below root: Key, in tree: KnownTree) -> Bool {
        var directory = root
        while true {
            let relative = key.bytes[directory.bytes.count...]
            guard let listing = tree.known(directory) else { return false }
            guard let end = relative.firstIndex(of: Key.delimiter) else {
                if case .unknown = listing.entry(at: Array(relative)) { return false }
                return true
            }
            switch listing.entry(at: Array(relative[...end])) {
            case .unknown: return false
            case .absent: return true
            case .present: directory = Key(key.bytes[...end])
            }
        }
    }

    @Test(
        "a page that was asked for before a folder was forgotten tells nothing of it, and all of others",
        arguments: [
            ("a/", .tree, ["", "b/"]), ("a/", .directory, ["", "a/s/", "b/"]), ("a/s/", .tree, ["", "a/", "b/"]),
            ("", .tree, []), ("", .directory, ["a/", "a/s/", "b/"]),
        ] as [(Key, Namespace.Extent, Set<Key>)])
    func latePages(prefix: Key, extent: Namespace.Extent, remaining: Set<Key>) throws {
        let tree = namespace(on: InMemoryStore()).tree
        let request = ListRequest(prefix: "", isDelimited: false)
        let page = try ProvenPage(page(["a/f", "a/s/f", "b/f"]), of: request)
        let askedAt = ContinuousClock.now
        tree.forget(prefix, extent)
        tree.absorb(page, askedAt: askedAt)
        let directories: [Key] = ["", "a/", "a/s/", "b/"]
        #expect(Set(directories.filter { tree.known($0) != nil }) == remaining)
        tree.absorb(page, askedAt: .now)
        #expect(directories.allSatisfy { tree.known($0)?.isComplete == true })
    }

    @Test func `of many folders that were forgotten, none comes back`() throws {
        let tree = namespace(on: InMemoryStore()).tree
        let prefixes = (0..<200).map { Key("\($0)/") }
        let page = try ProvenPage(
            page(prefixes.map { $0.appending([97]) }.sorted()), of: ListRequest(prefix: "", isDelimited: false))
        let askedAt = ContinuousClock.now
        for prefix in prefixes { tree.forget(prefix, .tree) }
        tree.absorb(page, askedAt: askedAt)
        #expect(prefixes.allSatisfy { tree.known($0) == nil })
    }

    @Test(
        "a listing from the archive is used where it is whole and still true",
        arguments: [
            (.asKept, 0), (.damaged, 1), (.outOfOrder, 1), (.stale, 1), (.fromTheFuture, 1), (.ofAnotherPrefix, 1),
            (.missing, 1),
        ] as [(ScriptedArchive.Answer, Int)])
    func archive(answer: ScriptedArchive.Answer, listCount: Int) throws {
        let store = InMemoryStore(pageLimit: 2, delivery: .inline)
        for key: Key in ["d/a", "d/b"] { store.put(key, .text("x")) }
        let archive = ScriptedArchive()
        #expect(try names(in: "d/", namespace(on: store, archive: archive)) == ["a", "b"])
        #expect(archive.kept.map(\.prefix) == ["d/"])
        store.clearLog()
        archive.answer = answer
        let namespace = namespace(on: store, archive: archive)
        #expect(try names(in: "d/", namespace) == ["a", "b"])
        #expect(try names(in: "d/", namespace) == ["a", "b"])
        #expect(store.listRequests.count == listCount)
    }

    @Test func `an empty folder is kept in the archive, and what is forgotten in memory is forgotten there`() throws {
        let store = InMemoryStore(delivery: .inline)
        let archive = ScriptedArchive()
        #expect(try names(in: "d/", namespace(on: store, archive: archive)).isEmpty)
        store.clearLog()
        archive.answer = .asKept
        let namespace = namespace(on: store, archive: archive)
        #expect(try names(in: "d/", namespace).isEmpty)
        #expect(store.listRequests.isEmpty)
        namespace.forget("d/", .tree)
        #expect(archive.kept.isEmpty)
        #expect(try names(in: "d/", namespace).isEmpty)
        #expect(store.listRequests.count == 1)
    }

    @Test func `what is forgotten while the archive is asked for it doesn't come back`() throws {
        let store = InMemoryStore(delivery: .inline)
        store.put("d/a", .text("x"))
        let archive = ScriptedArchive()
        #expect(try names(in: "d/", namespace(on: store, archive: archive)) == ["a"])
        store.put("d/b", .text("x"))
        archive.answer = .asKept
        let namespace = namespace(on: store, archive: archive)
        archive.happens { namespace.forget("d/", .tree) }
        #expect(try names(in: "d/", namespace) == ["a", "b"])
    }

    private func names(in prefix: Key, _ namespace: Namespace) throws -> [Key] {
        let directory = namespace.openDirectory(Inode(id: .root, key: prefix, kind: .directory))
        let names = Mutex<[Key]>([])
        while true {
            let count = names.withLock { $0.count }
            directory.entries(from: count, isRestart: count == 0) { result in
                guard let slice = try? result.get() else { return }
                names.withLock { $0 += slice.all.map { Key($0.name.bytes) } }
            }
            if names.withLock({ $0.count }) == count { return names.withLock { $0 } }
        }
    }

    private func namespace(
        on store: InMemoryStore, root: Key = "", archive: (any ListingArchive)? = nil
    ) -> Namespace {
        Namespace(
            store: store, root: root, timeToLive: .limited(.seconds(3_600)), requestTimeout: .seconds(10),
            metadataByteLimit: 64 << 20, archive: archive,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}

/// An archive that answers as a test says.
final class ScriptedArchive: ListingArchive {
    enum Answer {
        case missing
        case asKept
        case damaged
        case outOfOrder
        case stale
        case fromTheFuture
        case ofAnotherPrefix
    }

    private struct State {
        var answer = Answer.missing
        var kept: [ArchivedListing] = []
        var whileAsked: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    var kept: [ArchivedListing] { state.withLock { $0.kept } }

    var answer: Answer {
        get { state.withLock { $0.answer } }
        set { state.withLock { $0.answer = newValue } }
    }

    /// Happens once, when a listing is looked up, before the answer.
    func happens(_ event: @escaping @Sendable () -> Void) {
        state.withLock { $0.whileAsked = event }
    }

    func listing(_ prefix: Key) -> ArchivedListing? {
        guard let listing = kept.last(where: { $0.prefix == prefix }) else { return nil }
        state.withLock { $0.whileAsked.take() }?()
        func moved(secondsLater seconds: Int) -> ArchivedListing {
            let moment = Timestamp(seconds: listing.listedAt.seconds + seconds)
            return ArchivedListing(prefix: prefix, listedAt: moment, blocks: listing.blocks)
        }
        switch answer {
        case .missing: return nil
        case .asKept: return listing
        case .damaged:
            let blocks = listing.blocks.map { Array($0.dropLast()) + [($0.last ?? 0) ^ 0xff] }
            return ArchivedListing(prefix: prefix, listedAt: listing.listedAt, blocks: blocks)
        case .outOfOrder:
            return ArchivedListing(
                prefix: prefix, listedAt: listing.listedAt, blocks: listing.blocks + listing.blocks)
        case .stale: return moved(secondsLater: -3_602)
        case .fromTheFuture: return moved(secondsLater: 3_600)
        case .ofAnotherPrefix:
            return ArchivedListing(prefix: "e/", listedAt: listing.listedAt, blocks: listing.blocks)
        }
    }

    func keep(_ listing: ArchivedListing) {
        state.withLock { $0.kept.append(listing) }
    }

    func forget(_ prefixes: KeyInterval) {
        state.withLock { $0.kept.removeAll { prefixes.contains($0.prefix) } }
    }

    func shutdown() {}
}
