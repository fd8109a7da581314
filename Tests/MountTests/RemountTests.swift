import Foundation
import ObjectStore
import TestSupport
import Testing

/// Some folders in a bucket, and mounts of it that use one cache.
private struct ListedTree {
    let server: S3TestServer
    /// The endpoint of the server, also after its end.
    let endpointURL: String
    let cache: TestCache
    let log: String

    /// As `find` prints them, sorted.
    static let paths =
        ([".", "./top"]
        + (0..<20).flatMap { folder in
            ["./f\(folder)"] + (0..<5).map { "./f\(folder)/\($0)" }
        }).sorted()

    /// Calls `body` with a server that holds the tree, and a cache of its own.
    static func with(_ body: (ListedTree) throws -> Void) throws {
        try withS3TestServer { server in
            for path in paths where path.hasSuffix("top") || path.split(separator: "/").count == 3 {
                server.put(Key(String(path.dropFirst(2))), .text(path))
            }
            try withTemporaryDirectory { directory in
                try body(
                    ListedTree(
                        server: server, endpointURL: server.endpointURL, cache: TestCache(path: directory + "/cache"),
                        log: directory + "/log"))
            }
        }
    }

    /// The database.
    var database: String { cache.path + "/listings/listings.db" }

    /// Returns the output of `find` in a new mount. Afterwards the server's log has the requests of the mount, mounting
    /// included.
    func walk(
        _ timeToLive: String, cache options: [String]? = nil, meanwhile: () throws -> Void = {}
    ) throws -> [String] {
        server.clearLog()
        let options =
            ["--endpoint-url", endpointURL, "--log-file", log, "--metadata-ttl", timeToLive]
            + (options ?? cache.options)
        return try withMount(uri: "s3://\(server.bucket)", options: options, environment: environmentWithKeys) {
            try meanwhile()
            return try runChecked("find", ["."], directory: $0).split(separator: "\n").map(String.init).sorted()
        }
    }

    /// Expects that a mount sees the tree and sends no LIST.
    func expectKnown(_ timeToLive: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(try walk(timeToLive) == Self.paths, sourceLocation: sourceLocation)
        #expect(server.requests(.list).isEmpty, sourceLocation: sourceLocation)
    }

    /// Expects that a mount sees the tree and sends LISTs.
    func expectAskedFor(
        _ timeToLive: String, cache options: [String]? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(try walk(timeToLive, cache: options) == Self.paths, sourceLocation: sourceLocation)
        #expect(!server.requests(.list).isEmpty, sourceLocation: sourceLocation)
    }
}

/// Listings of one mount that the next one uses.
@Suite(.serialized, mounts) struct RemountTests {
    @Test func `A remount within the time to live walks without a request, the mounting included`() throws {
        try ListedTree.with { tree in
            try tree.expectAskedFor("1h")
            try tree.expectKnown("1h")
            #expect(troubles(inLog: tree.log) == [])
        }
    }

    @Test func `A remount lists again when the time to live is over`() throws {
        try ListedTree.with { tree in
            try tree.expectAskedFor("1h")
            tree.server.put("zzz", .text("new"))
            #expect(try tree.walk("0s") == ListedTree.paths + ["./zzz"])
        }
    }

    @Test func `A remount with --metadata-ttl forever walks without a server`() throws {
        try ListedTree.with { tree in
            try tree.expectAskedFor("forever")
            try tree.server.refuseConnections()
            #expect(try tree.walk("forever") == ListedTree.paths)
            #expect(troubles(inLog: tree.log) == [])
        }
    }

    @Test func `A remount without a cache lists again`() throws {
        try ListedTree.with { tree in
            try tree.expectAskedFor("1h")
            try tree.expectAskedFor("1h", cache: ["--no-cache"])
        }
    }

    @Test func `A remount lists again what was cleared from the cache`() throws {
        try ListedTree.with { tree in
            try tree.expectAskedFor("1h")
            try runChecked(
                tractfsExecutable(), ["cache", "clear", "s3://\(tree.server.bucket)/f7"] + tree.cache.options)
            #expect(try tree.walk("1h") == ListedTree.paths)
            #expect(tree.server.requests(.list).count == 1)
            try runChecked(tractfsExecutable(), ["cache", "clear"] + tree.cache.options)
            try tree.expectAskedFor("1h")
            try tree.expectKnown("1h")
        }
    }

    @Test func `A remount works while its cached listings are cleared`() throws {
        try ListedTree.with { tree in
            try tree.expectAskedFor("1h")
            let paths = try tree.walk("1h") {
                try runChecked(tractfsExecutable(), ["cache", "clear"] + tree.cache.options)
                try runChecked(tractfsExecutable(), ["cache", "verify"] + tree.cache.options)
            }
            #expect(paths == ListedTree.paths)
            #expect(troubles(inLog: tree.log) == [])
        }
    }

    @Test func `A remount that finds a foreign file as its database begins a new one, with one warning`() throws {
        try ListedTree.with { tree in
            try tree.expectAskedFor("1h")
            try Data(repeating: 7, count: 10_000).write(to: URL(filePath: tree.database))
            try tree.expectAskedFor("1h")
            #expect(troubles(inLog: tree.log).count == 1, "\(troubles(inLog: tree.log))")
            try tree.expectKnown("1h")
            #expect(troubles(inLog: tree.log).count == 1, "\(troubles(inLog: tree.log))")
        }
    }

    @Test func `Mounts at the same time share the listings of their cache`() throws {
        try ListedTree.with { tree in
            let paths = try tree.walk("1h") {
                try tree.expectAskedFor("1h")
                tree.server.clearLog()
                // This mount has read the archive before the other one wrote to it.
                letPass(.milliseconds(1_100), of: "LoadedWindows.lifetime")
            }
            #expect(paths == ListedTree.paths)
            // Both mounts have listed the root when they were made.
            #expect(tree.server.requests(.list).allSatisfy { $0.request.key == .empty })
        }
    }

    @Test(smallDisks) func `Listings that fill the disk are cached as far as they fit, with one warning`() throws {
        try ListedTree.with { tree in
            let disk = SmallDisk(path: tree.log + ".disk")
            try disk.mountedInMemory(byteCount: 2 << 20) {
                _ = try run("dd", ["if=/dev/zero", "of=\(disk.path)/others", "bs=1k", "status=none"])
                try runChecked("truncate", ["-s", "-40k", disk.path + "/others"])
                for _ in 0..<2 {
                    #expect(try tree.walk("1h", cache: disk.cache.options) == ListedTree.paths)
                }
                #expect(troubles(inLog: tree.log).count <= 2, "\(troubles(inLog: tree.log))")
            }
        }
    }
}
