import Foundation
import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// The requests of a mount, which S3 bills and users wait for.
@Suite(.serialized, mounts) struct RequestCountTests {
    /// 2,000 objects in 300 folders below `HCP/`, in few pages each but for one folder of many.
    private struct Tree {
        static let pageLimit = 100
        static let objectCount = 2_000
        static let folderCount = 300
        private(set) var keys: [Key] = []

        init() {
            // 49 subjects of 6 folders each, "HCP" itself, and 5 in the way to the big folder: 300.
            for subject in 0..<49 {
                for folder in ["", "T1w/", "T1w/Native/", "MNINonLinear/", "MNINonLinear/ROIs/", "release notes/"] {
                    for file in 0..<5 { keys.append(Key("HCP/\(100_000 + subject)/\(folder)file \(file).nii.gz")) }
                }
            }
            while keys.count < Tree.objectCount { keys.append(Key("HCP/a/b/c/d/big/\(keys.count).txt")) }
        }

        /// The number of pages of the listings of all folders.
        var pageCount: Int {
            var entries: [String: Set<Substring>] = ["": []]
            for key in keys {
                let components = String(decoding: key.bytes, as: UTF8.self).split(separator: "/")
                for index in components.indices {
                    entries[components[..<index].joined(separator: "/"), default: []].insert(components[index])
                }
            }
            precondition(entries.count == Tree.folderCount + 1, "\(entries.count) folders with the root")
            return entries.values.map { ($0.count + Tree.pageLimit - 1) / Tree.pageLimit }.reduce(0, +)
        }
    }

    @Test func `find requests each page of each folder once, without a HEAD, and a second find nothing`() throws {
        let tree = Tree()
        try withS3TestServer(pageLimit: Tree.pageLimit) { server in
            for key in tree.keys { server.put(key, .text("x")) }
            try withMount(of: server) { mountPoint in
                let first = try runChecked("find", [mountPoint, "-ls"])
                #expect(lineCount(first) == Tree.objectCount + Tree.folderCount + 1)
                #expect(server.distinctListings.count <= tree.pageCount)
                #expect(server.log.allSatisfy { $0.request.kind == .list })

                server.clearLog()
                #expect(try runChecked("find", [mountPoint, "-ls"]) == first)
                #expect(server.log.isEmpty)
            }
        }
    }

    @Test func `Mounting sends one LIST`() throws {
        try withS3TestServer { server in
            server.put("HCP/file", .text("x"))
            let options = ["--endpoint-url", server.endpointURL]
            try withMount(uri: "s3://\(server.bucket)/HCP", options: options, environment: environmentWithKeys) { _ in }
            #expect(server.distinctListings.count == 1)
            #expect(server.log.allSatisfy { $0.request.kind == .list })
        }
    }

    @Test func `A path six folders deep costs one LIST a folder`() throws {
        try withS3TestServer { server in
            server.put("a/b/c/d/e/f", .text("x"))
            try withMount(of: server) { mountPoint in
                try runChecked("stat", [mountPoint + "/a/b/c/d/e/f"])
                #expect(server.distinctListings.count <= 6)
                #expect(server.log.allSatisfy { $0.request.kind == .list })
            }
        }
    }

    @Test func `A name that does not exist costs nothing once its folder is listed`() throws {
        try withS3TestServer { server in
            server.put("folder/file", .text("x"))
            try withMount(of: server) { mountPoint in
                try runChecked("ls", [mountPoint + "/folder"])
                server.clearLog()
                for name in ["folder/other", "folder/a", "folder/zzz", "folder/file.json", "folder/none/below"] {
                    let error = errno { try withOpenFile(mountPoint + "/" + name) { _ in } }
                    #expect(error == .noSuchFileOrDirectory, "\(name)")
                }
                #expect(server.log.isEmpty)
            }
        }
    }

    @Test func `ls -l sends no request after ls`() throws {
        try withS3TestServer { server in
            for index in 0..<50 { server.put(Key("folder/\(index)"), .text("x")) }
            try withMount(of: server) { mountPoint in
                try runChecked("ls", [mountPoint + "/folder"])
                server.clearLog()
                #expect(lineCount(try runChecked("ls", ["-l", mountPoint + "/folder"])) == 51)
                #expect(server.log.isEmpty)
            }
        }
    }

    /// A way to read a whole file; `$0` of the shell is its path.
    private static let readers = [
        "cat \"$0\"", "dd if=\"$0\" bs=1M status=none",
        "python3 -c 'import mmap, sys; f = open(sys.argv[1]); "
            + "sys.stdout.buffer.write(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ))' \"$0\"",
    ]

    @Test(arguments: [1, 131_073, 5 << 20, 40 << 20], readers)
    func `A file is fetched byte for byte once, and without a LIST`(byteCount: Int, reader: String) throws {
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: byteCount)
            server.put("folder/file", body)
            try withLateCount(of: server) { mountPoint, lateCount in
                try runChecked("ls", [mountPoint + "/folder"])
                server.clearLog()
                try expectReader(reader, brings: body, of: mountPoint + "/folder/file")
                #expect(server.distinctSentByteCount(of: "folder/file") == byteCount)
                #expect(try server.repeatedGetCount <= lateCount())
                #expect(server.log.allSatisfy { $0.request.kind == .get })

                server.clearLog()
                try expectReader(reader, brings: body, of: mountPoint + "/folder/file")
                #expect(server.log.isEmpty, "reading it again")
            }
        }
    }

    @Test func `Two processes that read one file at once fetch it once`() throws {
        let byteCount = 100 << 20
        try withS3TestServer { server in
            server.put("file", try .random(byteCount: byteCount))
            // Both processes must read before the file is there.
            server.setLatency(.milliseconds(20))
            try withLateCount(of: server) { mountPoint, lateCount in
                let script = "cat \"$0\" | cksum & first=$(cat \"$0\" | cksum); wait; echo \"$first\""
                let sums = try runChecked("bash", ["-c", script, mountPoint + "/file"]).split(separator: "\n")
                #expect(sums.count == 2 && sums[0] == sums[1])
                #expect(server.distinctSentByteCount(of: "file") == byteCount)
                #expect(try server.repeatedGetCount <= lateCount())
            }
        }
    }

    @Test func `A file opened three times in a row is fetched once`() throws {
        let byteCount = 700_000
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: byteCount)
            server.put("file", body)
            try withLateCount(of: server) { mountPoint, lateCount in
                // Reads like nibabel: first the head, then the header, then everything.
                for readByteCount in [8, 540, byteCount] {
                    let range = 0..<readByteCount
                    let read = try withOpenFile(mountPoint + "/file") { try $0.bytes(in: range) }
                    expectSame(read, body.bytes(in: range))
                }
                #expect(server.distinctSentByteCount(of: "file") == byteCount)
                #expect(try server.repeatedGetCount <= lateCount())
            }
        }
    }

    @Test func `300 small files of a folder, read in its order, cost one GET each and one LIST`() throws {
        var bodies = BodySource(seed: .random(in: 0...(.max)))
        var objects: [Key: ObjectBody] = [:]
        for index in 0..<300 { objects[Key("folder/\(1_000 + index)")] = try bodies.body(byteCount: 348 + index) }
        try withS3TestServer { server in
            for (key, body) in objects { server.put(key, body) }
            try withLateCount(of: server) { mountPoint, lateCount in
                // The lookup of the folder's name costs nothing for the folder.
                try runChecked("ls", [mountPoint])
                server.clearLog()
                #expect(try FileManager.default.contentsOfDirectory(atPath: mountPoint + "/folder").count == 300)
                try checkAll(objects, in: mountPoint)
                #expect(Set(server.requests(.get).map(\.request.key)).count == 300)
                #expect(server.distinctListings.count == 1)
                #expect((301...301 + (try lateCount())).contains(server.log.count))
            }
        }
    }

    /// Mounts, and calls `body` with a function that counts the requests so far that were sent twice, because a busy
    /// machine is slow.
    private func withLateCount(
        of server: S3TestServer, _ body: (_ mountPoint: String, _ lateCount: () throws -> Int) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let log = directory + "/log"
            try withMount(of: server, options: ["--log-level", "debug", "--log-file", log]) { mountPoint in
                try body(mountPoint) {
                    try String(contentsOfFile: log, encoding: .utf8).ranges(of: "asking a second time").count
                }
            }
        }
    }

    /// Expects that `reader` writes exactly `body`.
    private func expectReader(_ reader: String, brings body: ObjectBody, of path: String) throws {
        try withTemporaryDirectory { directory in
            let copy = directory + "/copy"
            try runChecked("bash", ["-c", "(\(reader)) > \"$1\"", path, copy])
            expectSame(try withOpenFile(copy) { try $0.bytes(in: 0..<body.byteCount + 1) }, body.allBytes)
        }
    }

    private func lineCount(_ text: String) -> Int {
        text.split(separator: "\n").count
    }
}
