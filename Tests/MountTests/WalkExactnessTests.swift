import ObjectStore
import TestSupport
import Testing

/// Walks by all tools find exactly the contents of the bucket.
@Suite(.serialized, mounts) struct WalkExactnessTests {
    private static let tree = WalkTree.subjects(4).with(.oddities(below: "")).with(.oddities(below: "100307/T1w/odd/"))

    @Test(arguments: WalkTools.names)
    func `Walks are complete and exact on a fresh mount, and again when all is known`(tool: String) throws {
        try withS3TestServer(pageLimit: 100) { server in
            Self.tree.put(into: server)
            try WalkTools.with(Self.tree) { tools in
                try withMount(of: server) { mountPoint in
                    try tools.expectExact(tool, at: mountPoint)
                    try tools.expectExact(tool, at: mountPoint)
                    try tools.expectExact(tool, at: mountPoint, below: "100307/T1w")
                }
            }
        }
    }

    @Test(arguments: [3, 7, 1_000])
    func `Walks are exact with pages of any size`(pageLimit: Int) throws {
        let tree = WalkTree.oddities(below: "x/").with(.oddities(below: "x/both/y/")).with(.oddities(below: ""))
        try withS3TestServer(pageLimit: pageLimit) { server in
            tree.put(into: server)
            try WalkTools.with(tree) { tools in
                for tool in ["find-size", "os-walk", "ls-lR"] {
                    try withMount(of: server) { try tools.expectExact(tool, at: $0) }
                }
            }
        }
    }

    @Test func `Walks of all tools at once are exact, on one fresh mount`() throws {
        try withS3TestServer(pageLimit: 200) { server in
            Self.tree.put(into: server)
            server.setLatency(.milliseconds(2))
            try WalkTools.with(Self.tree) { tools in
                try withMount(of: server) { mountPoint in
                    try inParallel(WalkTools.names.count) { index in
                        try tools.expectExact(WalkTools.names[index], at: mountPoint)
                    }
                }
            }
        }
    }

    @Test func `Walks in subjects of their own are exact, several at once`() throws {
        let tree = WalkTree.subjects(6)
        let subjects = tree.folders.filter { !$0.isEmpty && !$0.contains("/") }
        try withS3TestServer(pageLimit: 100) { server in
            tree.put(into: server)
            try WalkTools.with(tree) { tools in
                try withMount(of: server) { mountPoint in
                    try inParallel(subjects.count) { index in
                        for tool in ["find-size", "ls-lR", "os-walk"] {
                            try tools.expectExact(tool, at: mountPoint, below: subjects[index])
                        }
                    }
                }
            }
        }
    }

    @Test func `Walks are exact below a prefix that is the root of the mount`() throws {
        let below = WalkTree.subjects(2).with(.oddities(below: ""))
        var bucket = WalkTree.oddities(below: "")
        for (key, byteCount) in below.byteCounts {
            bucket.add("HCP/" + String(decoding: key.bytes, as: UTF8.self), byteCount: byteCount)
        }
        bucket.add(["HCP", "HCP-", "HCP.x/f", "HCP0"])
        try withS3TestServer(pageLimit: 100) { server in
            bucket.put(into: server)
            let options = ["--endpoint-url", server.endpointURL]
            try WalkTools.with(below) { tools in
                try withMount(uri: "s3://\(server.bucket)/HCP", options: options, environment: environmentWithKeys) {
                    for tool in ["find-size", "os-walk"] { try tools.expectExact(tool, at: $0) }
                }
            }
        }
    }
}
