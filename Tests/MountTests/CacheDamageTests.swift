import Foundation
import Glibc
import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// A change of a cache's files.
struct CacheDamage: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// A Boolean value that is `true` if the bytes must be fetched again; `nil` if the kernel may still have the files
    /// as backing files, whose bytes are as they were sealed.
    let isFetchedAgain: Bool?
    let inflict: @Sendable (TestCache) throws -> Void

    init(
        _ description: String, isFetchedAgain: Bool? = true,
        inflict: @escaping @Sendable (TestCache) throws -> Void
    ) {
        testDescription = description
        self.isFetchedAgain = isFetchedAgain
        self.inflict = inflict
    }

    /// Applies `change` to a file of the cache.
    init(
        _ description: String, of file: @escaping @Sendable (TestCache, Key) -> String?,
        isFetchedAgain: Bool? = true, _ change: @escaping @Sendable (String) throws -> Void
    ) {
        self.init(description, isFetchedAgain: isFetchedAgain) { cache in
            for key in DamagedObjects.keys { try change(#require(file(cache, key))) }
        }
    }
}

/// The objects whose cached files are damaged: a small one, two of one size, and one that is never read as a whole
/// before, so that its file is no backing file.
enum DamagedObjects {
    static let keys: [Key] = ["small", "first", "second", "part"]
    static let byteCounts = ["small": 200_001, "first": 3_000_000, "second": 3_000_000, "part": 12 << 20]
    static let partReads = [0..<100_000, 8 << 20..<8 << 20 | 500_000]

    /// Some bodies for them.
    static func make(_ bodies: inout BodySource) throws -> [Key: ObjectBody] {
        var objects: [Key: ObjectBody] = [:]
        for (name, byteCount) in byteCounts { objects[Key(name)] = try bodies.body(byteCount: byteCount) }
        return objects
    }
}

private func damages() -> [CacheDamage] {
    let data: @Sendable (TestCache, Key) -> String? = { $0.dataFile(of: $1) }
    let index: @Sendable (TestCache, Key) -> String? = { $0.indexFile(of: $1) }
    return [
        CacheDamage("bits of the data flipped", of: data, flipBits),
        CacheDamage("data cut off", of: data) { truncate($0, 100_000) },
        CacheDamage("data empty", of: data) { truncate($0, 0) },
        CacheDamage("data grown", of: data) { truncate($0, 40_000_000) },
        CacheDamage("data zeroed", of: data) { path in
            try runChecked("fallocate", ["--zero-range", "--keep-size", "--length", "30MiB", path])
        },
        CacheDamage("data deleted", of: data) { unlink($0) },
        // Root can read everything.
        CacheDamage("files not readable", isFetchedAgain: geteuid() != 0) { cache in
            try runChecked("find", [cache.path, "-type", "f", "-exec", "chmod", "000", "{}", "+"])
        },
        CacheDamage("a folder in place of the data", of: data) { try replace($0, by: "mkdir") },
        CacheDamage("a pipe in place of the data", of: data) { try replace($0, by: "mkfifo") },
        CacheDamage("a link in place of the data", of: data) { try replace($0, by: "ln", "-s", "/etc/passwd") },
        CacheDamage("data of two objects swapped") { cache in
            try swapFiles(cache.dataFile(of: "first"), cache.dataFile(of: "second"))
        },
        CacheDamage("indexes of two objects swapped") { cache in
            try swapFiles(cache.indexFile(of: "first"), cache.indexFile(of: "second"))
        },
        CacheDamage("index deleted", of: index) { unlink($0) },
        CacheDamage("index overwritten with noise", of: index, overwriteWithNoise),
        CacheDamage("checksums overwritten with noise", of: index, isFetchedAgain: nil) { path in
            let size = try byteCount(ofFile: path)
            try overwrite(path, from: size - 16, with: (0..<16).map { _ in .random(in: 0...(.max)) })
        },
        CacheDamage("index cut off", of: index) { truncate($0, 60) },
        CacheDamage("checksums cut off", of: index, isFetchedAgain: nil) { truncate($0, 190) },
        CacheDamage("index empty", of: index) { truncate($0, 0) },
        CacheDamage("a folder in place of the index", of: index) { try replace($0, by: "mkdir") },
        CacheDamage("a pipe in place of the index", of: index) { try replace($0, by: "mkfifo") },
        CacheDamage("all folders empty") { try runChecked("find", [$0.path, "-type", "f", "-delete"]) },
        CacheDamage("files in place of the folders") { cache in
            try runChecked(
                "bash", ["-c", "for d in \"$0\"/objects/*; do rm -r \"$d\"; touch \"$d\"; done", cache.path])
        },
        CacheDamage("the number of bytes removed", isFetchedAgain: false) { unlink($0.path + "/usage") },
        CacheDamage("the number of bytes noise", isFetchedAgain: false) { try overwriteWithNoise($0.path + "/usage") },
        CacheDamage("the number of bytes too big", isFetchedAgain: false) { cache in
            try overwrite(cache.path + "/usage", from: 0, with: [0, 0, 0, 0, 0, 0, 1, 0])
        },
        CacheDamage("the whole folder removed") { try FileManager.default.removeItem(atPath: $0.path) },
    ]
}

/// Damage to the files of a cache: reads get the right bytes, and the log at most one warning.
@Suite(mounts) struct CacheDamageTests {
    @Test("Damage to the cache between two mounts gives no wrong byte", arguments: damages())
    func betweenMounts(damage: CacheDamage) throws {
        try withFilledCache { server, objects, cache in
            try damage.inflict(cache)
            try expectRight(server, cache, objects, after: damage)
        }
    }

    /// The mount has read little before the damage, because the kernel would answer for pages that it has. The reads
    /// were of an object whose file is no backing file: the kernel reads such a file itself, and its damage cannot be
    /// repaired.
    @Test("Damage to the cache under a mount gives no wrong byte", arguments: damages())
    func mounted(damage: CacheDamage) throws {
        try withFilledCache { server, objects, cache in
            try expectRight(server, cache, objects, after: damage) { mountPoint in
                try withOpenFile(mountPoint + "/part") { file in
                    let body = try #require(objects["part"])
                    try file.check(0..<1_000, body, of: "part")
                    try damage.inflict(cache)
                    try file.check(0..<body.byteCount, body, of: "part")
                }
            }
        }
    }

    /// The mount that finds the damage has some blocks in memory that it does not write again, so the next one fetches
    /// them.
    @Test(arguments: damages().filter { ["bits of the data flipped", "index cut off"].contains($0.testDescription) })
    func `A damaged cache is whole again after two mounts`(damage: CacheDamage) throws {
        try withFilledCache { server, objects, cache in
            try damage.inflict(cache)
            for _ in 0..<2 { try withMount(of: server, options: cache.options) { try checkAll(objects, in: $0) } }
            try withMount(of: server, options: cache.options) { mountPoint in
                try checkAll(objects, in: mountPoint)
                #expect(server.requests(.get).isEmpty)
            }
        }
    }

    @Test func `A mount whose cache folder is removed reads on in open backing files, and makes it again`() throws {
        try withFilledCache { server, objects, cache in
            try withMount(of: server, options: cache.options) { mountPoint in
                let body = try #require(objects["first"])
                try withOpenFile(mountPoint + "/first") { file in
                    try file.check(0..<1_000, body, of: "first")
                    try FileManager.default.removeItem(atPath: cache.path)
                    try file.check(0..<body.byteCount, body, of: "first")
                }
                try checkAll(objects, in: mountPoint)
                // Without passthrough the first object is in memory, and is not written again.
                try eventually("the others are cached again") {
                    ["second", "small", "part"].allSatisfy(cache.isComplete)
                }
            }
        }
    }

    /// Calls `body` with a cache that holds the objects, `part` in part only, and a log without requests.
    private func withFilledCache(
        _ body: (S3TestServer, [Key: ObjectBody], TestCache) throws -> Void
    ) throws {
        var bodies = BodySource(seed: .random(in: 0...(.max)))
        let objects = try DamagedObjects.make(&bodies)
        try withTemporaryDirectory { directory in
            let cache = TestCache(path: directory + "/cache")
            try withS3TestServer { server in
                for (key, body) in objects { server.put(key, body) }
                try withMount(of: server, options: cache.options) { mountPoint in
                    for (key, body) in objects where key != "part" { try checkWhole("\(mountPoint)/\(key)", body) }
                    let part = try #require(objects["part"])
                    try withOpenFile(mountPoint + "/part") { file in
                        for range in DamagedObjects.partReads { try file.check(range, part, of: "part") }
                    }
                    try eventually("the objects are cached") {
                        objects.keys.allSatisfy {
                            cache.isComplete($0) || $0 == "part" && cache.indexFile(of: $0) != nil
                        }
                    }
                }
                server.clearLog()
                try body(server, objects, cache)
            }
        }
    }

    /// Mounts, and expects right bytes and at most one warning.
    private func expectRight(
        _ server: S3TestServer, _ cache: TestCache, _ objects: [Key: ObjectBody], after damage: CacheDamage,
        onceMounted: (String) throws -> Void = { _ in }
    ) throws {
        let log = cache.path + ".log"
        try withMount(of: server, options: cache.options + ["--log-file", log]) { mountPoint in
            try onceMounted(mountPoint)
            try checkAll(objects, in: mountPoint)
            let fetched = Set(server.requests(.get).map(\.request.key)).subtracting(["part"])
            if let isFetchedAgain = damage.isFetchedAgain {
                #expect(fetched.isEmpty != isFetchedAgain, "fetched again: \(fetched)")
            }
        }
        let troubles = troubles(inLog: log)
        #expect(troubles.count <= 1, "\(troubles)")
    }
}

private func flipBits(_ path: String) throws {
    let file = try FileDescriptor.open(FilePath(path), .readWrite)
    try file.closeAfter {
        for offset in [0, 5_000, 150_000] {
            let bytes = try file.bytes(in: offset..<offset + 1)
            _ = try file.writeAll(toAbsoluteOffset: Int64(offset), bytes.map { $0 ^ 0x10 })
        }
    }
}

private func overwrite(_ path: String, from offset: Int, with bytes: [UInt8]) throws {
    let file = try FileDescriptor.open(FilePath(path), .writeOnly)
    _ = try file.closeAfter { try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) }
}

private func overwriteWithNoise(_ path: String) throws {
    let size = try byteCount(ofFile: path)
    try overwrite(path, from: 0, with: (0..<size).map { _ in .random(in: 0...(.max)) })
}

/// Removes `path`, and runs a command that makes something else of this name.
private func replace(_ path: String, by command: String, _ arguments: String...) throws {
    try FileManager.default.removeItem(atPath: path)
    try runChecked(command, arguments + [path])
}

private func swapFiles(_ one: String?, _ other: String?) throws {
    let (one, other) = (try #require(one), try #require(other))
    try runChecked("bash", ["-c", "mv \"$0\" \"$0.x\" && mv \"$1\" \"$0\" && mv \"$0.x\" \"$1\"", one, other])
}

private func byteCount(ofFile path: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
}
