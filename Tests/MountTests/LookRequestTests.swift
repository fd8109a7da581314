import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// Looks of users and programs that are no walks: each folder costs its own listing, and nothing is prefetched.
@Suite(.serialized, mounts) struct LookRequestTests {
    private static let tree: WalkTree = {
        var tree = WalkTree.uniform(subjectCount: 20)
        tree.add((0..<50).map { "a/b/c/file-\($0).nii.gz" })
        tree.add(["1/2/3/4/5/6", "1/2/3/4/5/7"])
        return tree
    }()

    private func withMountOfTree(_ body: (S3TestServer, String) throws -> Void) throws {
        try withS3TestServer { server in
            Self.tree.put(into: server)
            server.setLatency(.milliseconds(5))
            try withMount(of: server) { try body(server, $0) }
        }
    }

    /// Returns the listed folders, in order, without the root, which mounting may have listed.
    private func listedFolders(_ server: S3TestServer) -> [Key] {
        server.distinctListings.map(\.key).filter { $0 != .empty }
    }

    @Test func `A look into a folder of 50 entries costs one LIST for each level of its path`() throws {
        try withS3TestServer { server in
            Self.tree.put(into: server)
            try withMount(of: server) { mountPoint in
                let listed = try runChecked("ls", [mountPoint + "/a/b/c"])
                #expect(listed.split(separator: "\n").count == 50)
            }
            // The count includes prefetches until the end of the mount.
            #expect(listedFolders(server) == ["a/", "a/b/", "a/b/c/"])
            #expect(server.log.allSatisfy { $0.request.listing?.isDelimited == true })
        }
    }

    @Test func `A look at a file six folders deep costs six LISTs, and none for the file beside it`() throws {
        try withMountOfTree { server, mountPoint in
            try runChecked("stat", [mountPoint + "/1/2/3/4/5/6"])
            #expect(server.distinctListings.count <= 6)
            #expect(server.log.allSatisfy { $0.request.kind == .list })
            server.clearLog()
            try runChecked("stat", [mountPoint + "/1/2/3/4/5/7"])
            #expect(server.log.count == 0)
        }
    }

    @Test func `A look for 100 sidecars that do not exist in a listed folder costs no request`() throws {
        try withMountOfTree { server, mountPoint in
            try runChecked("ls", [mountPoint + "/a/b/c"])
            server.clearLog()
            for index in 0..<50 {
                for name in ["file-\(index).nii", "file-\(index).json"] {
                    #expect(
                        errno { try withOpenFile("\(mountPoint)/a/b/c/\(name)") { _ in } } == .noSuchFileOrDirectory)
                }
            }
            #expect(server.log.count == 0)
        }
    }

    @Test func `A look for a name that is in no folder costs no request beside those of the walk`() throws {
        try withMountOfTree { server, mountPoint in
            try runChecked("find", [mountPoint])
            server.clearLog()
            for folder in Self.tree.folders {
                let path = "\(mountPoint)/\(folder)/layout_config.json"
                #expect(errno { try withOpenFile(path) { _ in } } == .noSuchFileOrDirectory, "\(folder)")
            }
            #expect(server.log.count == 0)
        }
    }

    @Test func `A look level by level costs the LISTs of the levels`() throws {
        try withS3TestServer { server in
            Self.tree.put(into: server)
            server.setLatency(.milliseconds(5))
            let paths = ["", "100007", "100007/part-1", "100007/part-1/run-11", "a", "a/b", "100012", "100012/part-3"]
            try withMount(of: server) { mountPoint in
                for path in paths { try runChecked("ls", ["-l", "\(mountPoint)/\(path)"]) }
            }
            #expect(listedFolders(server) == paths.filter { !$0.isEmpty }.map { Key($0 + "/") })
        }
    }
}
