import ObjectStore
import TestSupport
import Testing

/// The number of listings of walks.
@Suite(.serialized, mounts) struct WalkRequestTests {
    /// 20 subjects of 45 folders and 1,000 files each.
    private static let tree = WalkTree.uniform(subjectCount: 20)
    private static let keyCount = 20_000
    /// With pages like S3's: 20 hold all keys of the tree.
    private static let limitOfFind = 40
    /// The limit of any walk, by the number of keys.
    private static let limit = keyCount / 1_000 * 12 / 10 + 40
    /// S3's typical time to the first byte, which gives prefetches the time that they have there.
    private static let latency = Duration.milliseconds(20)

    /// Returns the number of listings of a mount, from the call of `body` until the mount ends. It includes prefetches
    /// that were of no use, but not requests that were hedged.
    private func listCount(
        of tree: WalkTree = tree, latency: Duration = latency, options: [String] = [], _ body: (String) throws -> Void
    ) throws -> Int {
        try withS3TestServer { server in
            tree.put(into: server)
            server.setLatency(latency)
            return try listCount(of: server, options: options, body)
        }
    }

    private func listCount(
        of server: S3TestServer, options: [String] = [], _ body: (String) throws -> Void
    ) throws -> Int {
        try withMount(of: server, options: options, body)
        #expect(server.log.allSatisfy { $0.request.kind == .list })
        return server.distinctListings.count
    }

    @Test func `find costs one LIST for 1,000 keys, and few more`() throws {
        let count = try listCount { mountPoint in
            let found = try runChecked("find", [mountPoint, "-type", "f", "-size", "+1"])
            #expect(found.split(separator: "\n").count == Self.tree.byteCounts.values.count { $0 > 512 })
        }
        #expect(count <= Self.limitOfFind)
    }

    @Test(arguments: ["ls-R", "ls-lR", "du-a", "rsync-n", "os-walk", "os-fwalk", "tar-c", "glob-all"])
    func `A walk of another tool costs one LIST for 1,000 keys, and few more`(tool: String) throws {
        try WalkTools.with(Self.tree) { tools in
            let count = try listCount { try tools.expectExact(tool, at: $0) }
            #expect(count <= Self.limit)
        }
    }

    @Test func `A pattern that needs one folder of each subject costs hardly more LISTs than folders`() throws {
        let tree = WalkTree.subjects(40)
        let count = try listCount(of: tree) { mountPoint in
            let found = try runChecked("bash", ["-c", "printf '%s\\n' \"$0\"/*/T1w/*.nii.gz", mountPoint])
            #expect(found.split(separator: "\n").count == 40 * 3)
        }
        // The root, each subject, and its T1w.
        #expect(count <= (1 + 40 + 40) * 11 / 10 + 32)
    }

    @Test func `A walk with the last subject first costs a few LISTs for each subject`() throws {
        try WalkTools.with(Self.tree) { tools in
            let count = try listCount { try tools.expectExact("stack", at: $0) }
            // Its page, and the proof that nothing follows, one after the other; and the listings of its folders before
            // the walk was recognized.
            #expect(count <= 20 * 4)
        }
    }

    @Test(arguments: [2, 8])
    func `Several walkers at once cost hardly more LISTs than one`(walkerCount: Int) throws {
        let count = try listCount { mountPoint in
            try inParallel(walkerCount) { _ in
                let found = try runChecked("find", [mountPoint, "-type", "f"])
                #expect(found.split(separator: "\n").count == Self.keyCount)
            }
        }
        #expect(count <= Self.limitOfFind + 8)
    }

    @Test(arguments: [2, 8])
    func `Walkers of subjects of their own cost a few LISTs for each subject`(walkerCount: Int) throws {
        let count = try listCount { mountPoint in
            try inParallel(walkerCount) { walker in
                for subject in stride(from: walker, to: 20, by: walkerCount) {
                    let found = try runChecked("find", ["\(mountPoint)/\(100_000 + subject)", "-type", "f"])
                    #expect(found.split(separator: "\n").count == 1_000)
                }
            }
        }
        // Each of them is a walk of its own, which needs the subject, two folders to be recognized by, the page, and
        // the proof that nothing follows. Guesses beside these depend on the order of the walkers' steps.
        #expect(count <= (1 + 20 * 5) * 11 / 10 + 32)
    }

    @Test(arguments: [10, 400], [Duration.zero, latency])
    func `A walk that stops has cost a tenth, and 32, more LISTs than it needed at most`(
        folderCount: Int, latency: Duration
    ) throws {
        let count = try listCount(latency: latency) { mountPoint in
            let script =
                "import itertools, os, sys; print(len(list(itertools.islice(os.walk(sys.argv[1]), int(sys.argv[2])))))"
            let walked = try runChecked("python3", ["-c", script, mountPoint, String(folderCount)])
            #expect(walked == "\(folderCount)\n")
        }
        #expect(count <= folderCount * 11 / 10 + 32)
    }

    @Test func `A walk within the time to live sends no LIST`() throws {
        try withS3TestServer { server in
            Self.tree.put(into: server)
            server.setLatency(Self.latency)
            var countOfOne = 0
            let count = try listCount(of: server, options: ["--metadata-ttl", "1h"]) { mountPoint in
                try runChecked("find", [mountPoint, "-size", "+1"])
                countOfOne = server.log.count
                for command in [
                    ["find", mountPoint, "-size", "+1"], ["ls", "-lR", mountPoint], ["du", "-a", mountPoint],
                ] {
                    try runChecked(command[0], Array(command.dropFirst()))
                }
            }
            #expect(count <= Self.limitOfFind)
            // Prefetches at the end of a walk.
            #expect(server.log.count - countOfOne <= 8)
        }
    }

    @Test func `ls -lR of a known subject sends no LIST`() throws {
        try withS3TestServer { server in
            Self.tree.put(into: server)
            try WalkTools.with(Self.tree) { tools in
                try withMount(of: server, options: ["--metadata-ttl", "1h"]) { mountPoint in
                    try tools.expectExact("find", at: mountPoint, below: "100007")
                    server.clearLog()
                    try tools.expectExact("ls-lR", at: mountPoint, below: "100007")
                    #expect(server.log.count == 0)
                }
            }
        }
    }

    @Test func `A walk after a remount within the time to live sends no LIST`() throws {
        try withTemporaryDirectory { directory in
            try withS3TestServer { server in
                Self.tree.put(into: server)
                let options = ["--cache-dir", directory + "/cache", "--metadata-ttl", "1h"]
                try WalkTools.with(Self.tree) { tools in
                    try withMount(of: server, options: options) { try tools.expectExact("find-size", at: $0) }
                    try withMount(of: server, options: options) { mountPoint in
                        try tools.expectExact("find-size", at: mountPoint)
                        try tools.expectExact("ls-lR", at: mountPoint, below: "100007")
                        #expect(server.log.count == 0)
                    }
                }
            }
        }
    }
}
