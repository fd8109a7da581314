import Foundation
import ObjectStore
import TestSupport
import Testing

/// Programs on a mount of a store that does not list keys in the order of their bytes.
@Suite(.serialized, mounts) struct UnorderedStoreTests {
    /// Orders, each with how many items there are on a page.
    static let listings: [(ListingOrder, Int)] = [
        (.prefixesFirst, 1_000), (.objectsFirst, 1_000), (.foldersAsNames, 2), (.foldersAsNames, 1_000),
        (.reversed, 100),
        (.shuffled(seed: 5), 100), (.shuffled(seed: 6), 1_000), (.lastModified, 30),
    ]

    private static let keys: [Key] = [
        "100%.txt", "README", "a-", "a/b", "aparc+aseg.mgz", "sub-01-extra/x", "sub-01/anat/T1w.nii.gz",
        "sub-01/anat-2/x", "sub-02/f.txt",
    ]
    private static let names = ["100%.txt", "README", "a", "a-", "aparc+aseg.mgz", "sub-01", "sub-01-extra", "sub-02"]

    private func withServer<Result>(
        _ order: ListingOrder, pageLimit: Int = 1_000, _ body: (S3TestServer) throws -> Result
    ) throws -> Result {
        try withS3TestServer(pageLimit: pageLimit) { server in
            for key in Self.keys { server.put(key, .text("\(key)")) }
            server.listingOrder = order
            return try body(server)
        }
    }

    private func exists(_ path: String) throws -> Bool { try run("stat", [path]).status == 0 }

    @Test(
        "A store that lists in another order shows all names to ls, find and stat, and files are read",
        arguments: listings)
    func showsAll(order: ListingOrder, pageLimit: Int) throws {
        try withServer(order, pageLimit: pageLimit) { server in
            for options in [[], ["--unordered-listings"]] {
                try withMount(of: server, options: ["--no-cache"] + options) { mountPoint in
                    let names = try runChecked("ls", [mountPoint], environment: ["LC_ALL": "C"]).split(separator: "\n")
                    #expect(names.map(String.init) == Self.names)
                    let files = try runChecked("find", [mountPoint, "-type", "f", "-printf", "%P\\n"])
                    #expect(Set(files.split(separator: "\n").map { Key(String($0)) }) == Set(Self.keys))
                    for key in Self.keys { #expect(try runChecked("cat", [mountPoint + "/\(key)"]) == "\(key)") }
                    for name in ["nothing", "README2", "sub-01/nothing", "sub-01-"] {
                        #expect(try !exists(mountPoint + "/" + name), "\(name)")
                    }
                }
            }
        }
    }

    @Test(
        "A store that lists in another order shows all of a tree to each tool that walks",
        arguments: [ListingOrder.foldersAsNames, .shuffled(seed: 9)])
    func walks(order: ListingOrder) throws {
        let tree = WalkTree.subjects(2)
        try withS3TestServer(pageLimit: 100) { server in
            tree.put(into: server)
            server.listingOrder = order
            try WalkTools.with(tree, situation: "\(order):") { tools in
                try withMount(of: server, options: ["--no-cache", "--metadata-ttl", "1s"]) { mountPoint in
                    try inParallel(WalkTools.names.count) { try tools.expectExact(WalkTools.names[$0], at: mountPoint) }
                }
            }
        }
    }

    @Test func `A store that lists in another order is reported once in the log, with the option for it`() throws {
        try withServer(.reversed) { server in
            try withTemporaryDirectory { directory in
                for (options, count) in [([], 1), (["--unordered-listings"], 0)] {
                    let log = directory + "/log-\(count)"
                    try withMount(of: server, options: ["--no-cache", "--log-file", log] + options) { mountPoint in
                        for _ in 0..<2 { try runChecked("find", [mountPoint]) }
                    }
                    let text = try String(contentsOfFile: log, encoding: .utf8)
                    #expect(text.split(separator: "\n").count { $0.contains("doesn't list keys in") } == count)
                    #expect(text.contains("--unordered-listings") == (count == 1))
                }
            }
        }
    }

    @Test func `A negative entry is invalidated once a page shows that the store lists in another order`() throws {
        try withS3TestServer { server in
            for key: Key in ["d/m", "d/n", "e/1", "e/2"] { server.put(key, .text("x")) }
            try withMount(of: server, options: ["--no-cache", "--metadata-ttl", "1h"]) { mountPoint in
                #expect(try !exists(mountPoint + "/d/a"))
                server.put("d/a", .text("x"))
                server.listingOrder = .reversed
                #expect(try !exists(mountPoint + "/d/a"), "what is known holds for its time")
                #expect(try exists(mountPoint + "/e/2"), "a page that is out of order")
                if kernelIsAtLeast(6, 16) {
                    try eventually("the name is there") { try exists(mountPoint + "/d/a") }
                }
                #expect(try runChecked("ls", [mountPoint + "/d"]) == "a\nm\nn\n")
            }
        }
    }

    @Test func `A prefix of many pages can be mounted where the store lists in another order`() throws {
        try withS3TestServer(pageLimit: 10) { server in
            for index in 0..<45 { server.put(Key("p/f\(index)"), .text("x")) }
            server.listingOrder = .shuffled(seed: 1)
            for options in [[], ["--unordered-listings"]] {
                let options = ["--endpoint-url", server.endpointURL, "--no-cache"] + options
                try withMount(uri: "s3://\(server.bucket)/p", options: options, environment: environmentWithKeys) {
                    mountPoint in
                    let names = try runChecked("ls", [mountPoint]).split(separator: "\n")
                    #expect(names.count == 45)
                    #expect(try exists(mountPoint + "/f44"))
                    #expect(try !exists(mountPoint + "/f45"))
                }
            }
        }
    }

    @Test func `A lookup in a big folder does not list it where the store lists in another order`() throws {
        try withS3TestServer(pageLimit: 10) { server in
            for index in 0..<500 { server.put(Key("big/f\(index)"), .text("\(index)")) }
            server.put("big/f7/x", .text("x"))
            server.listingOrder = .shuffled(seed: 2)
            try withMount(of: server, options: ["--no-cache", "--unordered-listings"]) { mountPoint in
                let text = try runChecked("cat", [mountPoint + "/big/f499"])
                #expect(text == "499")
                #expect(try runChecked("stat", ["-c", "%F", mountPoint + "/big/f7"]) == "directory\n")
                #expect(try !exists(mountPoint + "/big/f500"))
                #expect(server.log.count { $0.request.kind == .list } <= 6)
                #expect(server.log.count { $0.request.kind == .head } == 3)
                #expect(server.log.allSatisfy { $0.request.query["start-after"] == nil })
            }
        }
    }

    @Test func `After tractfs warm on a store that lists in another order walks need no request`() throws {
        let tree = WalkTree.subjects(1)
        try withS3TestServer(pageLimit: 100) { server in
            tree.put(into: server)
            server.listingOrder = .shuffled(seed: 3)
            try withMount(of: server, options: ["--metadata-ttl", "1h", "--no-cache"]) { mountPoint in
                let result = try run(tractfsExecutable(), ["warm", "--metadata", mountPoint], timeout: .seconds(60))
                #expect(result.status == 0, "\(result.errorOutput)")
                server.clearLog()
                try WalkTools.with(tree) { try $0.expectExact("find-size", at: mountPoint) }
                #expect(server.log.isEmpty)
            }
        }
    }

    @Test(takeoverAvailable)
    func `A server that takes over knows the order of listings, and a reader gets each name once`() throws {
        try withS3TestServer(pageLimit: 50) { server in
            for index in 0..<3_000 { server.put(Key("f\(10_000 + index)"), .text("x")) }
            server.listingOrder = .shuffled(seed: 4)
            try withKilledMount(of: server, options: ["--no-cache"]) { mount in
                let script = """
                    import os, sys
                    names = []
                    with os.scandir(sys.argv[1]) as entries:
                        for entry in entries:
                            names.append(entry.name)
                            if len(names) == 100:
                                print("reading", flush=True)
                                sys.stdin.readline()
                    assert len(names) == 3000 and len(set(names)) == 3000, (len(names), len(set(names)))
                    """
                try withTemporaryDirectory { directory in
                    let fifo = directory + "/go"
                    try runChecked("mkfifo", [fifo])
                    let reader = try BackgroundProcess(
                        "sh", ["-c", "exec python3 -c \"$0\" \"$1\" <\"$2\"", script, mount.point, fifo],
                        outputDirectory: directory)
                    defer { reader.end() }
                    try withOpenFifo(fifo) { go in
                        try eventually("the reader reads") { reader.output.contains("reading") }
                        try mount.killServer()
                        try go.write(contentsOf: Data("\n".utf8))
                        try reader.waitForEnd(timeout: .seconds(60))
                    }
                    #expect(reader.status == 0, "\(reader.errorOutput)\(mount.text)")
                }
                #expect(try exists(mount.point + "/f12999"))
                #expect(try !exists(mount.point + "/f13000"))
                #expect(mount.text.split(separator: "\n").count { $0.contains("doesn't list keys in the order") } == 1)
            }
        }
    }

    @Test func `presign --recursive and doctor work where the store lists in another order`() throws {
        try withServer(.shuffled(seed: 8), pageLimit: 2) { server in
            let endpoint = ["--endpoint-url", server.endpointURL, "s3://\(server.bucket)"]
            let urls = try runChecked(
                tractfsExecutable(), ["presign", "--recursive"] + endpoint, environment: environmentWithKeys)
            #expect(urls.split(separator: "\n").count == Self.keys.count)
            let doctor = try run(tractfsExecutable(), ["doctor"] + endpoint, environment: environmentWithKeys)
            #expect(doctor.output.contains("can be listed"), "\(doctor.output)")
        }
    }
}

/// Opens a named pipe for writing, which waits for its reader.
private func withOpenFifo(_ path: String, _ body: (FileHandle) throws -> Void) throws {
    let handle = try #require(FileHandle(forWritingAtPath: path))
    defer { try? handle.close() }
    try body(handle)
}
