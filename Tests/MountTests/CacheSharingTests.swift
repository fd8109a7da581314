import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// Mounts that use one cache, at once or one after the other.
@Suite(.serialized, mounts) struct CacheSharingTests {
    private static let smallByteCount = 300_000
    private static let bigByteCount = 12 << 20

    @Test func `A shared cache that is too small gives right bytes while all mounts fill it and evict`() throws {
        let seed = UInt64.random(in: 0...(.max))
        print("seed \(seed)")
        let objects = try Self.objects(bigCount: 9)
        try withTemporaryDirectory { directory in
            let options = TestCache(path: directory + "/cache").options + ["--cache-size", "64MiB"]
            try withS3TestServer { server in
                for (key, body) in objects { server.put(key, body) }
                try withMounts(2, of: server, options: options) { mountPoints in
                    try inParallel(4) { index in
                        var generator = SeededGenerator(seed: seed &+ UInt64(index))
                        for (key, body) in objects.shuffled(using: &generator) {
                            let path = "\(mountPoints[index % 2])/\(key)"
                            if Bool.random(using: &generator) {
                                try checkWhole(path, body)
                            } else {
                                try checkRandomPieces(path, body, count: 10, using: &generator)
                            }
                        }
                    }
                }
            }
        }
    }

    @Test func `Mounts that share a cache use what the other has fetched, in both directions`() throws {
        let objects = try Self.objects(bigCount: 2)
        try withTemporaryDirectory { directory in
            let cache = TestCache(path: directory + "/cache")
            try withS3TestServer { server in
                for (key, body) in objects { server.put(key, body) }
                try withMounts(2, of: server, options: cache.options) { mountPoints in
                    for (index, object) in objects.sorted(by: { $0.key < $1.key }).enumerated() {
                        let (fetching, other) = (mountPoints[index % 2], mountPoints[(index + 1) % 2])
                        try checkWhole("\(fetching)/\(object.key)", object.value)
                        try eventually("\(object.key) is cached") { cache.isComplete(object.key) }
                        server.clearLog()
                        try checkWhole("\(other)/\(object.key)", object.value)
                        #expect(server.requests(.get).isEmpty, "\(object.key)")
                    }
                }
            }
        }
    }

    @Test func `A mount that has an object open uses what another mount fetches into the shared cache`() throws {
        let body = try #require(try Self.objects(bigCount: 1)["big 0/file"])
        try withTemporaryDirectory { directory in
            let cache = TestCache(path: directory + "/cache")
            try withS3TestServer { server in
                server.put("file", body)
                try withMounts(2, of: server, options: cache.options) { mountPoints in
                    try withOpenFile(mountPoints[0] + "/file") { file in
                        try checkWhole(mountPoints[1] + "/file", body)
                        try eventually("the file is cached") { cache.isComplete("file") }
                        server.clearLog()
                        try file.check(0..<body.byteCount, body, of: "file")
                    }
                    #expect(server.requests(.get).isEmpty)
                }
            }
        }
    }

    @Test func `The next mount reads everything from the cache without a GET`() throws {
        let objects = try Self.objects(bigCount: 2)
        try withTemporaryDirectory { directory in
            let options = TestCache(path: directory + "/cache").options
            try withS3TestServer { server in
                for (key, body) in objects { server.put(key, body) }
                // What is read is all written when the mount has ended.
                try withMount(of: server, options: options) { try checkAll(objects, in: $0) }
                try withMount(of: server, options: options) { try checkAll(objects, in: $0) }
                #expect(server.requests(.get).isEmpty)
            }
        }
    }

    private static func objects(bigCount: Int) throws -> [Key: ObjectBody] {
        var bodies = BodySource(seed: .random(in: 0...(.max)))
        var objects: [Key: ObjectBody] = [:]
        // Each in a folder of its own: small files that follow one that is read are fetched ahead.
        for index in 0..<bigCount {
            objects[Key("big \(index)/file")] = try bodies.body(byteCount: bigByteCount + index)
        }
        for index in 0..<2 { objects[Key("small \(index)/file")] = try bodies.body(byteCount: smallByteCount + index) }
        return objects
    }
}
