import Foundation
import ObjectStore
import TestSupport
import Testing

/// A directory bucket as it lists in truth: in no order, over many pages, each folder by itself.
@Suite(mounts) struct UnorderedDirectoryBucketTests {
    /// Keys whose order is easily got wrong: files and folders of the same name, and names around "/".
    private static let keys =
        (0..<40).map { "sub-\($0)/T1w/T1w.nii.gz" } + (0..<40).map { "sub-\($0)/log.txt" }
        + ["a", "a-", "a-b/x", "a/x", "a/y/z", "a0", "a0/x", "B/x", "é/ü", "sub-1", "sub-10-x"]

    /// The files that a tree of these keys has, as `find -type f` prints them. A file gives way to a folder of its
    /// name.
    private static let files = keys.filter { key in !keys.contains { $0.hasPrefix(key + "/") } }.sorted()

    private func withMountedBucket(pageLimit: Int, _ body: (S3TestServer, String) throws -> Void) throws {
        try TestDirectoryBucket.withServer(isShuffled: true, pageLimit: pageLimit) { server in
            for key in Self.keys { server.put(Key(key), .text("bytes of \(key)")) }
            let options = ["--endpoint-url", server.endpointURL]
            try withMount(uri: "s3://\(server.bucket)", options: options, environment: environmentWithKeys) { mount in
                try body(server, mount)
            }
            #expect(server.requests(.list).allSatisfy { $0.status == 200 })
        }
    }

    @Test(arguments: [3, 7, 1_000])
    func `find shows every file of a directory bucket without order, with its bytes`(pageLimit: Int) throws {
        try withMountedBucket(pageLimit: pageLimit) { server, mount in
            let found = try runChecked("find", [mount, "-type", "f", "-printf", "%P\\n"]).split(separator: "\n")
                .sorted()
            #expect(found.map(String.init) == Self.files)
            for file in Self.files {
                try #expect(runChecked("cat", ["\(mount)/\(file)"]) == "bytes of \(file)")
            }
        }
    }

    @Test(arguments: [3, 1_000])
    func `A name in a directory bucket without order is found without a listing, and an absent one is not`(
        pageLimit: Int
    ) throws {
        try withMountedBucket(pageLimit: pageLimit) { server, mount in
            try #expect(runChecked("cat", [mount + "/sub-39/T1w/T1w.nii.gz"]) == "bytes of sub-39/T1w/T1w.nii.gz")
            try runChecked("test", ["-d", mount + "/a/y"])
            for name in ["nothing", "sub-1/nothing", "sub", "sub-1/T1w/T1w", "a/y/z0"] {
                #expect(try run("stat", [mount + "/" + name]).errorOutput.contains("No such file or directory"))
            }
        }
    }

    @Test func `glob, os.walk and ls see the same tree in a directory bucket without order`() throws {
        try withMountedBucket(pageLimit: 5) { server, mount in
            let script = """
                import glob, os, sys
                os.chdir(sys.argv[1])
                print(len(glob.glob("sub-*/T1w/*.nii.gz")), sum(len(files) for _, _, files in os.walk(".")))
                """
            let counts = try runChecked("python3", ["-c", script, mount])
            #expect(counts == "40 \(Self.files.count)\n")
            let names = Set(Self.keys.map { $0.prefix { $0 != "/" } })
            try #expect(runChecked("ls", ["-A", mount]).split(separator: "\n").count == names.count)
        }
    }
}
