import Foundation
import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// Objects that change under a reader, which gets old bytes or an error, and never a mixture or zeros.
@Suite(.serialized, mounts) struct OverwriteTests {
    /// More than one part, and no multiple of a block.
    private static let byteCount = 24 << 20 | 12_345
    private static let old = Result { try ObjectBody.random(byteCount: byteCount) }
    private static let oldTag = ETag("\"old\"")
    private static let pieceByteCount = 100_000

    /// A change of the object: a deletion, or a new one of some size.
    enum Change: CaseIterable {
        case bigger, sameSize, smaller, deletion

        var byteCount: Int? {
            switch self {
            case .bigger: OverwriteTests.byteCount + 5_000_000
            case .sameSize: OverwriteTests.byteCount
            case .smaller: 5_000_000
            case .deletion: nil
            }
        }

        /// Makes the change.
        ///
        /// - Returns: The new object's bytes, if there is one.
        @discardableResult
        func make(on server: S3TestServer, key: Key) throws -> ObjectBody? {
            guard let byteCount else {
                server.delete(key)
                return nil
            }
            let body = try ObjectBody.random(byteCount: byteCount)
            server.put(key, body)
            return body
        }

        /// The change in the midst of an answer.
        func mutation(afterByteCount count: Int) throws -> Mutation {
            guard let byteCount else { return .deleteAfter(byteCount: count) }
            return .overwriteAfter(byteCount: count, body: try .random(byteCount: byteCount))
        }
    }

    @Test(arguments: Change.allCases, [0, 1, 3])
    func `An object that is overwritten during a GET gives old bytes or ESTALE`(
        change: Change, getCountBefore: Int
    ) throws {
        let old = try Self.old.get()
        try withS3TestServer { server in
            server.put("file", old, etag: Self.oldTag)
            try withMount(of: server) { mountPoint in
                // No GET is smaller than a block, 128 KiB, but for the object's end.
                let mutation = try change.mutation(afterByteCount: 100_000)
                server.script(.get("file"), .mutate(mutation), skipping: getCountBefore, count: 1)
                try withOpenFile(mountPoint + "/file") { file in
                    let pieces = try expectOldOrStale(file, old)
                    #expect(pieces.oldCount > 0, "the first GET was before the change")
                }
                #expect(hasChanged(server), "the change took place")
            }
        }
    }

    @Test(arguments: Change.allCases)
    func `An object that is overwritten between two reads gives ESTALE where it was not read before`(
        change: Change
    ) throws {
        let old = try Self.old.get()
        try withS3TestServer { server in
            server.put("file", old, etag: Self.oldTag)
            try withMount(of: server) { mountPoint in
                try withOpenFile(mountPoint + "/file") { file in
                    expectSame(try file.bytes(in: 0..<1_000), old.bytes(in: 0..<1_000))
                    try change.make(on: server, key: "file")
                    let end = old.byteCount
                    #expect(errno { try file.bytes(in: end - 1_000..<end) } == .staleNFSFileHandle)
                    expectSame(try file.bytes(in: 0..<1_000), old.bytes(in: 0..<1_000))
                    _ = try expectOldOrStale(file, old)
                }
            }
        }
    }

    @Test(arguments: Change.allCases)
    func `A mapped file that is overwritten gives old bytes or SIGBUS`(change: Change) throws {
        let old = try Self.old.get()
        try withTemporaryDirectory { directory in
            let copy = directory + "/old"
            try Data(old.allBytes).write(to: URL(fileURLWithPath: copy))
            try withS3TestServer { server in
                server.put("file", old, etag: Self.oldTag)
                server.script(.get("file"), .mutate(try change.mutation(afterByteCount: 200_000)), count: 1)
                try withMount(of: server) { mountPoint in
                    let arguments = ["-c", Self.compareMapped, mountPoint + "/file", copy]
                    let result = try run("python3", arguments)
                    #expect([0, -SIGBUS].contains(result.status), "\(result)")
                    #expect(hasChanged(server), "the change took place")
                }
            }
        }
    }

    /// Compares two files through memory maps, page by page from both ends.
    static let compareMapped = """
        import mmap, sys
        files = [open(path) for path in sys.argv[1:]]
        maps = [mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) for file in files]
        starts = list(range(0, len(maps[1]), 4096))
        for start in (start for pair in zip(starts, reversed(starts)) for start in pair):
            if maps[0][start:start + 4096] != maps[1][start:start + 4096]:
                sys.exit(f"different at {start}")
        """

    @Test(arguments: Change.allCases)
    func `After the TTL the path shows the new object, and an older handle the old one or ESTALE`(
        change: Change
    ) throws {
        let old = try Self.old.get()
        try withS3TestServer { server in
            server.put("file", old, etag: Self.oldTag)
            try withMount(of: server, options: ["--metadata-ttl", "1s"]) { mountPoint in
                let path = mountPoint + "/file"
                try withOpenFile(path) { file in
                    expectSame(try file.bytes(in: 0..<1_000_000), old.bytes(in: 0..<1_000_000))
                    let new = try change.make(on: server, key: "file")
                    try eventually("the change is seen") { try isSeen(new, at: path) }
                    // Another program reads the new object, and the kernel caches its pages.
                    if let new { try expectWhole(path, new) }
                    let pieces = try expectOldOrStale(file, old)
                    #expect(pieces.oldCount > 0 && pieces.staleCount > 0)
                    if let new { try expectWhole(path, new) }
                }
            }
        }
    }

    @Test func `An object that is overwritten on a real server gives old bytes or ESTALE`() throws {
        let old = try Self.old.get()
        try withTemporaryDirectory { directory in
            let local = URL(fileURLWithPath: directory + "/file")
            try Data(old.allBytes).write(to: local)
            try withJuiceFSGateway { server in
                try server.upload(directory: directory, bucket: "tract-test")
                let options = ["--metadata-ttl", "1s"]
                try withMount(uri: "s3://tract-test", options: options, environment: server.environment) { mountPoint in
                    try withOpenFile(mountPoint + "/file") { file in
                        expectSame(try file.bytes(in: 0..<1_000), old.bytes(in: 0..<1_000))
                        let new = try ObjectBody.random(byteCount: 20 << 20)
                        try Data(new.allBytes).write(to: local)
                        try server.upload(directory: directory, bucket: "tract-test")
                        let pieces = try expectOldOrStale(file, old)
                        #expect(pieces.staleCount > 0)
                        try eventually("the change is seen") { try isSeen(new, at: mountPoint + "/file") }
                        try expectWhole(mountPoint + "/file", new)
                    }
                }
            }
        }
    }

    /// Reads the whole file in pieces. Expects that each is as in `old`, or ESTALE.
    private func expectOldOrStale(
        _ file: FileDescriptor, _ old: ObjectBody
    ) throws -> (oldCount: Int, staleCount: Int) {
        var counts = (oldCount: 0, staleCount: 0)
        for start in stride(from: 0, to: old.byteCount, by: Self.pieceByteCount) {
            let range = start..<min(start + Self.pieceByteCount, old.byteCount)
            do {
                expectSame(try file.bytes(in: range), old.bytes(in: range))
                counts.oldCount += 1
            } catch Errno.staleNFSFileHandle {
                counts.staleCount += 1
            }
        }
        return counts
    }

    private func hasChanged(_ server: S3TestServer) -> Bool {
        server.contents["file"]?.version.etag != Self.oldTag
    }

    /// Returns `true` if `path` has the first bytes and the size of `new`, or does not exist if `new` is `nil`.
    private func isSeen(_ new: ObjectBody?, at path: String) throws -> Bool {
        do {
            return try withOpenFile(path) { file in
                guard let new, try file.seek(offset: 0, from: .end) == new.byteCount else { return false }
                return try file.bytes(in: 0..<1_000) == new.bytes(in: 0..<1_000)
            }
        } catch Errno.noSuchFileOrDirectory {
            return new == nil
        } catch Errno.staleNFSFileHandle {
            return false
        }
    }

    private func expectWhole(_ path: String, _ body: ObjectBody) throws {
        expectSame(try withOpenFile(path) { try $0.bytes(in: 0..<body.byteCount + 1) }, body.allBytes)
    }
}
