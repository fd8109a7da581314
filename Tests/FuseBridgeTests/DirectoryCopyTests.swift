import Glibc
import Logging
import Namespace
import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import FuseBridge

private let copiesDirectories = ConditionTrait.enabled(
    if: KernelVersion.running()?.copiesDirectoriesWell == true, "this kernel's copies of directories can't be used")

/// What the kernel keeps of directories. `rewinddir` and friends are called as applications do.
@Suite("Directories that the kernel keeps", mounts, copiesDirectories) struct DirectoryCopyTests {
    private let log = LogLines()

    /// How often the kernel has asked for entries.
    private var readCount: Int { log.levels.count { $0 == .trace } }

    /// More than one buffer of readdir(3) holds.
    private static let names = (1_000..<4_000).map { "file-with-a-name-of-some-length-\($0)" }

    private func withFolder(_ body: (InMemoryStore, ServedMount) throws -> Void) throws {
        let store = InMemoryStore()
        for name in Self.names { store.put(Key("folder/" + name), .text("x")) }
        try withServedMount(of: store, logger: log.logger) { try body(store, $0) }
    }

    /// The rest of an open directory, or `count` entries of it, without "." and "..".
    private func read(_ directory: OpaquePointer, count: Int = .max) -> [String] {
        var names: [String] = []
        while names.count < count, let entry = readdir(directory) {
            let name = String(decoding: DirectoryEntries.name(of: entry), as: UTF8.self)
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    private func withOpenFolder<R>(of mount: ServedMount, _ body: (OpaquePointer) throws -> R) throws -> R {
        let directory = try #require(opendir(mount.path + "/folder"))
        defer { closedir(directory) }
        return try body(directory)
    }

    /// All entries, as who opens the folder now sees them.
    private func allNames(in mount: ServedMount) throws -> [String] {
        try withOpenFolder(of: mount) { read($0) }
    }

    private func expectAll(_ expected: [String], in mount: ServedMount) throws {
        let names = try allNames(in: mount)
        #expect(names == expected)
    }

    @Test func `are not asked for again while they hold, by whoever reads them`() throws {
        try withFolder { store, mount in
            for _ in 0..<3 { try expectAll(Self.names, in: mount) }
            let count = readCount
            #expect(try runChecked("ls", [mount.path + "/folder"]).split(separator: "\n").count == Self.names.count)
            try expectAll(Self.names, in: mount)
            #expect(readCount == count)
            // Numbered names are listed ahead: pages that were guessed may lie behind the end.
            #expect(store.listRequests.count <= 8)
        }
    }

    @Test func `are read anew when they were listed anew`() throws {
        try withFolder { store, mount in
            try expectAll(Self.names, in: mount)
            store.delete(Key("folder/" + Self.names[5]))
            mount.namespace.forget("folder/", .tree)
            var left = Self.names
            left.remove(at: 5)
            for _ in 0..<2 { try expectAll(left, in: mount) }
        }
    }

    @Test func `give each entry once to who goes on reading while somebody reads what was listed anew`() throws {
        try withFolder { store, mount in
            var left = Self.names
            left.remove(at: 5)
            try withOpenFolder(of: mount) { old in
                var names = read(old, count: 50)
                store.delete(Key("folder/" + Self.names[5]))
                mount.namespace.forget("folder/", .tree)
                for _ in 0..<2 { try expectAll(left, in: mount) }
                names += read(old)
                #expect(names == Self.names)
                try expectAll(left, in: mount)
            }
            for _ in 0..<2 { try expectAll(left, in: mount) }
        }
    }

    @Test func `stay the same for one handle, also when it goes back`() throws {
        try withFolder { store, mount in
            try withOpenFolder(of: mount) { directory in
                #expect(read(directory, count: 2_000) == Array(Self.names[..<2_000]))
                let place = telldir(directory)
                store.delete(Key("folder/" + Self.names[5]))
                mount.namespace.forget("folder/", .tree)
                rewinddir(directory)
                #expect(read(directory) == Self.names)
                seekdir(directory, place)
                #expect(read(directory) == Array(Self.names[2_000...]))
            }
        }
    }

    @Test func `hold no longer than what was listed`() throws {
        let store = InMemoryStore()
        store.put("folder/a", .text("x"))
        try withServedMount(of: store, timeToLive: .limited(.milliseconds(50)), logger: log.logger) { mount in
            #expect(try allNames(in: mount) == ["a"])
            store.put("folder/b", .text("x"))
            try eventually("the change") { try allNames(in: mount) == ["a", "b"] }
        }
    }

    @Test func `are exact for several readers while they change all the time`() throws {
        // Even names stay, odd ones come and go.
        let store = InMemoryStore(pageLimit: 200)
        let stable = (0..<800).map { "n\(10_000 + 2 * $0)" }
        for name in stable { store.put(Key("folder/" + name), .text("x")) }
        try withServedMount(of: store, timeToLive: .limited(.milliseconds(20)), logger: log.logger) { mount in
            let end = ContinuousClock.now + .seconds(3)
            try inParallel(4) { worker in
                var random = SeededGenerator(seed: UInt64(worker))
                while ContinuousClock.now < end {
                    let odd = Key("folder/n\(10_001 + 2 * Int.random(in: 0..<800, using: &random))")
                    if worker == 0 { store.put(odd, .text("x")) } else if worker == 1 { store.delete(odd) }
                    let names = try withOpenFolder(of: mount) { directory in
                        let some = read(directory, count: Int.random(in: 0..<900, using: &random))
                        usleep(UInt32.random(in: 0..<30_000, using: &random))
                        return some + read(directory)
                    }
                    #expect(names.filter { Int($0.dropFirst())?.isMultiple(of: 2) == true } == stable)
                    #expect(Set(names).count == names.count)
                }
            }
        }
    }
}
