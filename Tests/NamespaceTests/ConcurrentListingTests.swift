import Logging
import ObjectStore
import Synchronization
import SystemSupport
import Testing
import TestSupport

@testable import Namespace

/// Lookups and readers at once, on a store whose answers come in any order, while others bring pages of their own and keys
/// come and go.
@Suite("Concurrent listings") struct ConcurrentListingTests {
    @Test(
        "answers are those of a plain set of keys, whatever comes in whatever order", arguments: 0..<150)
    func unchangingKeys(seed: UInt64) throws {
        try run(seed: seed, changingCount: 0)
    }

    @Test(
        "what is there all the time is never missed, what never is never shown, and nothing comes twice, while keys change",
        arguments: 0..<250)
    func changingKeys(seed: UInt64) throws {
        try run(seed: seed, changingCount: 20)
    }

    private func run(seed: UInt64, changingCount: Int) throws {
        var random = SeededGenerator(seed: seed)
        let keys = oddKeys(count: Int.random(in: 0...50, using: &random), using: &random)
        let changing = oddKeys(count: changingCount, using: &random).filter { !keys.contains($0) }
        let store = InMemoryStore(pageLimit: Int.random(in: 1...6, using: &random), delivery: .inline)
        for key in keys { store.put(key, .text("x")) }
        store.hold()
        let timeToLive: TimeToLive = Int.random(in: 0..<4, using: &random) == 0 ? .limited(.zero) : .forever
        let namespace = Namespace(
            store: store, root: "", timeToLive: timeToLive, requestTimeout: .seconds(10),
            metadataByteLimit: 64 << 20, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let world = World(
            namespace: namespace, store: store, stable: TreeModel(keys: keys), ever: TreeModel(keys: keys + changing),
            seed: seed)
        for _ in 0..<Int.random(in: 20...200, using: &random) {
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1: world.lookUp(using: &random)
            case 2, 3: world.openDirectory(using: &random)
            case 4: world.readOn(using: &random)
            case 5: world.listAhead(using: &random)
            case 6 where !changing.isEmpty: world.change(changing, using: &random)
            case 7 where Int.random(in: 0..<5, using: &random) == 0:
                namespace.forget(["", "a/"].randomElement(using: &random) ?? "", .tree)
            default: world.releaseOne(using: &random)
            }
        }
        while world.releaseOne(using: &random) || world.readOn(using: &random) {}
        world.expectAllAnswered()
    }
}

/// A namespace, its store, and all that is under way between them.
private final class World: Sendable {
    private let namespace: Namespace
    private let store: InMemoryStore
    /// Keys that are there all the time.
    private let stable: TreeModel
    /// Keys that are there at some time.
    private let ever: TreeModel
    private let seed: UInt64
    private let readers = Mutex<[DirectoryReader]>([])
    private let pendingCount = Mutex(0)

    init(namespace: Namespace, store: InMemoryStore, stable: TreeModel, ever: TreeModel, seed: UInt64) {
        self.namespace = namespace
        self.store = store
        self.stable = stable
        self.ever = ever
        self.seed = seed
    }

    /// A directory that some key is in, at some time.
    private func anyDirectory(using random: inout SeededGenerator) -> Inode {
        let key = ever.keys.randomElement(using: &random) ?? ""
        let length = Int.random(in: 0...key.bytes.count, using: &random)
        return Inode(id: .root, key: Key(key.bytes.prefix(length)).folderPrefix, kind: .directory)
    }

    func lookUp(using random: inout SeededGenerator) {
        let directory = anyDirectory(using: &random)
        let (always, sometimes) = (stable.entries(of: directory.key), ever.entries(of: directory.key))
        let others = oddKeys(count: 3, using: &random).map(\.bytes)
        let candidates = sometimes.keys.sorted { Key($0) < Key($1) } + others
        guard let name = try? Name(candidates.randomElement(using: &random) ?? []) else { return }
        pendingCount.withLock { $0 += 1 }
        namespace.lookup(name, in: directory) { [self] result in
            pendingCount.withLock { $0 -= 1 }
            guard let lookup = try? result.get() else {
                Issue.record("a lookup failed, seed \(seed)")
                return
            }
            let context: Comment = "\(Key(name.bytes)) in \(directory.key), seed \(seed)"
            #expect(lookup.inode != nil || always[name.bytes] == nil, context)
            #expect(lookup.inode == nil || sometimes[name.bytes] != nil, context)
            if stable.keys == ever.keys {
                #expect((lookup.inode?.kind == .directory) == (always[name.bytes] == .directory), context)
            }
        }
    }

    func openDirectory(using random: inout SeededGenerator) {
        let inode = anyDirectory(using: &random)
        let reader = DirectoryReader(namespace.openDirectory(inode))
        readers.withLock { $0.append(reader) }
    }

    /// Lets some reader go on, or go back; whether there is one that isn't at its end.
    @discardableResult
    func readOn(using random: inout SeededGenerator) -> Bool {
        let idle = readers.withLock { $0.filter { $0.canReadOn } }
        guard let reader = idle.randomElement(using: &random) else { return false }
        let seek = Int.random(in: 0..<12, using: &random)
        reader.readOn(seek == 0 ? .rewind : seek == 1 ? .seek(Int.random(in: 0...5, using: &random)) : .goOn)
        return true
    }

    /// Lists something that nobody needs, as a walk's listings do, and lets the tree know.
    func listAhead(using random: inout SeededGenerator) {
        let key = (ever.keys + [""]).randomElement(using: &random) ?? ""
        let prefix = Key(key.bytes.prefix(Int.random(in: 0...key.bytes.count, using: &random))).folderPrefix
        var request = ListRequest(prefix: prefix, isDelimited: Int.random(in: 0..<3, using: &random) == 0)
        if Bool.random(using: &random) { request.startAfter = ever.keys.randomElement(using: &random) }
        let askedAt = ContinuousClock.now
        let tree = namespace.tree
        let isAnnounced = Bool.random(using: &random)
        let beginning = ProvenPage.beginning(of: request)
        let interval = KeyInterval(lower: beginning, upper: request.prefix.endOfPrefix)
        let token = isAnnounced ? tree.pagesUnderWay.begin(expecting: interval) : nil
        store.list(request, deadline: .now + .seconds(10)) { [request] result in
            if let page = try? result.get(), let proven = try? ProvenPage(page, of: request) {
                tree.absorb(proven, askedAt: askedAt)
            }
            if let token { tree.pagesUnderWay.end(token, result) }
        }
    }

    func change(_ keys: [Key], using random: inout SeededGenerator) {
        guard let key = keys.randomElement(using: &random) else { return }
        if Bool.random(using: &random) { store.put(key, .text("y")) } else { store.delete(key) }
    }

    /// Lets one of the requests under way be answered; whether there is one.
    @discardableResult
    func releaseOne(using random: inout SeededGenerator) -> Bool {
        guard let request = store.waiting.randomElement(using: &random) else { return false }
        request.release()
        return true
    }

    func expectAllAnswered() {
        #expect(pendingCount.withLock { $0 } == 0, "lookups wait for nothing, seed \(seed)")
        for reader in readers.withLock({ $0 }) {
            let context: Comment = "\(reader.prefix), seed \(seed)"
            #expect(reader.isAtEnd, context)
            #expect(reader.failureCount == 0, context)
            let names = reader.names
            #expect(Set(names).count == names.count, context)
            #expect(Set(names).isSuperset(of: stable.entries(of: reader.prefix).keys), context)
            #expect(Set(names).isSubset(of: ever.entries(of: reader.prefix).keys), context)
            #expect(reader.hasMoved == false, context)
        }
    }
}

/// Somebody who reads a directory: one request at a time, some entries of each answer.
private final class DirectoryReader: Sendable {
    enum Step {
        case goOn
        /// To an index that was read before.
        case seek(Int)
        case rewind
    }

    fileprivate struct State {
        var names: [[UInt8]] = []
        /// Where to read on.
        var index = 0
        var isWaiting = false
        var isAtEnd = false
        var hasBegun = false
        var failureCount = 0
        /// Whether an index had another name than before.
        var hasMoved = false
    }

    private let directory: OpenDirectory
    private let state = Mutex(State())

    init(_ directory: OpenDirectory) {
        self.directory = directory
    }

    var prefix: Key { directory.inode.key }
    var names: [[UInt8]] { state.withLock { $0.names } }
    var isAtEnd: Bool { state.withLock { $0.isAtEnd } }
    var hasMoved: Bool { state.withLock { $0.hasMoved } }
    var failureCount: Int { state.withLock { $0.failureCount } }
    var canReadOn: Bool { state.withLock { !$0.isWaiting && !$0.isAtEnd } }

    func readOn(_ step: Step) {
        let (index, isRestart) = state.withLock { state -> (Int, Bool) in
            switch step {
            case .goOn: break
            case .seek(let index): state.index = min(index, state.names.count)
            case .rewind: state = State()
            }
            // The first request of all is one from the beginning, as in readdir.
            let isRestart = !state.hasBegun
            state.hasBegun = true
            state.isWaiting = true
            return (state.index, isRestart)
        }
        directory.entries(from: index, isRestart: isRestart) { [self] result in
            state.withLock { state in
                state.isWaiting = false
                guard let slice = try? result.get() else {
                    state.failureCount += 1
                    return
                }
                // Some of them, as where the caller's buffer is small.
                let count = min(slice.count, 1 + index % 3)
                for offset in 0..<count { state.take(slice[offset].entry.name.bytes, at: index + offset) }
                state.index = index + count
                state.isAtEnd = count == 0
            }
        }
    }
}

extension DirectoryReader.State {
    fileprivate mutating func take(_ name: [UInt8], at index: Int) {
        if index < names.count {
            if names[index] != name { hasMoved = true }
        } else {
            names.append(name)
        }
    }
}
