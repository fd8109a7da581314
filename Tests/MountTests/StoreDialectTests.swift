import Foundation
import ObjectStore
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import tractfs

/// Stores that write listings otherwise than AWS does, or answer otherwise: all names are there, and all bytes.
@Suite("A mount of a store that isn't AWS's", .serialized, mounts) struct StoreDialectTests {
    /// A way to write listings, with a name to show.
    struct Dialect: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let rewritten: @Sendable (String) -> String

        init(_ name: String, _ rewritten: @escaping @Sendable (String) -> String) {
            testDescription = name
            self.rewritten = rewritten
        }
    }

    private static let files = [
        "100%.txt": "percent", "README": "r", "aparc+aseg.mgz": "plus", "sub-01-extra/x": "x",
        "sub-01/anat/T1w.nii.gz": "image", "sub-02/f.txt": "hello",
    ]
    private static let paths = [
        ".", "./100%.txt", "./README", "./aparc+aseg.mgz", "./sub-01", "./sub-01-extra", "./sub-01-extra/x",
        "./sub-01/anat",
        "./sub-01/anat/T1w.nii.gz", "./sub-02", "./sub-02/f.txt",
    ]
    private static let time = 1_600_000_000
    private static let listedTime = "2020-09-13T12:26:40.000Z"

    /// The listing with `field` of the object `key` replaced by `text`.
    private static func replacing(_ field: String, of key: String, by text: String, in listing: String) -> String {
        guard let start = listing.firstRange(of: "<Key>\(key)</Key>"),
            let begin = listing[start.upperBound...].firstRange(of: "<\(field)>"),
            let end = listing[begin.upperBound...].firstRange(of: "</\(field)>")
        else { return listing }
        return listing[..<begin.lowerBound] + text + listing[end.upperBound...]
    }

    /// The listing with something in front of its end.
    private static func appending(_ text: String, to listing: String) -> String {
        listing.replacing("</ListBucketResult>", with: text + "</ListBucketResult>")
    }

    private static let dialects = [
        Dialect("ETags without quotation marks") { $0.replacing("&quot;", with: "") },
        Dialect("weak ETags") { $0.replacing("<ETag>", with: "<ETag>W/") },
        Dialect("ETags with a suffix of compression") { $0.replacing("&quot;</ETag>", with: "-gzip&quot;</ETag>") },
        Dialect("one entry without an ETag") { replacing("ETag", of: "README", by: "", in: $0) },
        Dialect("one empty ETag") { replacing("ETag", of: "README", by: "<ETag/>", in: $0) },
        Dialect("no ETags") { $0.replacing(/<ETag>.*?<\/ETag>/, with: "") },
        Dialect("a token without truncation") {
            $0.replacing(
                "<IsTruncated>false</IsTruncated>",
                with: "<IsTruncated>false</IsTruncated><NextContinuationToken>T7</NextContinuationToken>")
        },
        Dialect("truth in capitals") {
            $0.replacing("<IsTruncated>false", with: "<IsTruncated>False").replacing(
                "<IsTruncated>t", with: "<IsTruncated>T")
        },
        Dialect("no IsTruncated") { $0.replacing(/<IsTruncated>.*?<\/IsTruncated>/, with: "") },
        Dialect("HTTP dates") { $0.replacing(listedTime, with: "Sun, 13 Sep 2020 12:26:40 GMT") },
        Dialect("times without a zone") { $0.replacing(listedTime, with: "2020-09-13 12:26:40") },
        Dialect("white space around values") {
            $0.replacing("<Size>", with: "<Size>\n ").replacing("</LastModified>", with: "\n</LastModified>")
                .replacing("</ETag>", with: " </ETag>")
        },
        Dialect("namespace prefixes") {
            $0.replacing("</", with: "</s3:").replacing(/<([A-Z])/) { "<s3:\($0.output.1)" }
                .replacing("xmlns=", with: "xmlns:s3=")
        },
        Dialect("keys that are not encoded") { $0.replacing("%25", with: "%").replacing("%2B", with: "+") },
        Dialect("a key that can't be read") {
            appending("<Contents><Key>\u{1}</Key><Size>1</Size></Contents>", to: $0)
        },
        Dialect("an entry without a size") { appending("<Contents><Key>zz</Key></Contents>", to: $0) },
        Dialect("a key of another folder") {
            // Below the root there is no other folder.
            $0.contains("<Prefix></Prefix>")
                ? $0 : appending("<Contents><Key>zz/zz</Key><Size>1</Size></Contents>", to: $0)
        },
    ]

    private func withTree(_ dialect: StoreDialect, pageLimit: Int = 1_000, _ body: (S3TestServer) throws -> Void) throws
    {
        try withS3TestServer(pageLimit: pageLimit) { server in
            for (key, text) in Self.files { server.put(Key(key), .text(text)) }
            server.script(.any, .speak(dialect))
            try body(server)
        }
    }

    private func expectAll(at mountPoint: String, _ name: String) throws {
        try #expect(runChecked("ls", [mountPoint]).split(separator: "\n").count == 6, "\(name)")
        let found = try runChecked("find", ["."], directory: mountPoint).split(separator: "\n").map(String.init)
        #expect(found.sorted() == Self.paths.sorted(), "\(name)")
        for (key, text) in Self.files {
            try #expect(runChecked("cat", ["\(mountPoint)/\(key)"]) == text, "\(name)")
            try #expect(
                runChecked("stat", ["-c", "%s %Y", "\(mountPoint)/\(key)"]) == "\(text.utf8.count) \(Self.time)\n",
                "\(name)")
        }
    }

    @Test(arguments: dialects)
    func `has all names, times and bytes although it writes`(dialect: Dialect) throws {
        // A page shows that it isn't encoded only if it has such a key.
        let pageLimit = dialect.testDescription.contains("encoded") ? 1_000 : 3
        try withTree(.listing(dialect.rewritten), pageLimit: pageLimit) { server in
            try withMount(of: server, options: ["--no-cache"]) { try expectAll(at: $0, dialect.testDescription) }
            #expect(server.requests(.list).count < 40)
        }
    }

    @Test(arguments: [true, false])
    func `has all names where it only knows version 1 of listings`(refuses: Bool) throws {
        try withTree(.version1(refusal: refuses ? (501, "NotImplemented") : nil), pageLimit: 2) { server in
            try withMount(of: server, options: ["--no-cache"]) { try expectAll(at: $0, "version 1") }
            #expect(server.requests(.list).count < 60)
        }
    }

    @Test func `shows a time that can't be read as 2000-01-01, and counts what is wrong`() throws {
        let dialect = StoreDialect.listing {
            Self.appending(
                "<Contents><Key>a</Key></Contents>",
                to: Self.replacing(
                    "LastModified", of: "README", by: "<LastModified>soon</LastModified>",
                    in: Self.replacing("ETag", of: "README", by: "", in: $0)))
        }
        try withTree(dialect) { server in
            try withTemporaryDirectory { directory in
                let log = directory + "/log"
                try withMount(of: server, options: ["--no-cache", "--log-file", log]) { mountPoint in
                    try #expect(
                        runChecked("stat", ["-c", "%y", mountPoint + "/README"]).hasPrefix("2000-01-01 00:00:00"))
                    try #expect(runChecked("cat", [mountPoint + "/README"]) == "r")
                    try runChecked("ls", [mountPoint])
                    let status = try #require(
                        MountStatus(parsing: runChecked(tractfsExecutable(), ["status", mountPoint, "--json"])))
                    let counts = try #require(status.names.badEntries)
                    #expect(Set(counts.keys).isSuperset(of: ["no_etag", "no_time", "no_size"]))
                    let text = try runChecked(tractfsExecutable(), ["status", mountPoint])
                    #expect(text.contains("bad entries"))
                    #expect(text.contains("\(counts["no_etag"] ?? 0) no_etag"))
                    let metrics = try runChecked(tractfsExecutable(), ["status", mountPoint, "--prometheus"])
                    #expect(metrics.contains(/tractfs_bad_entries_total\{.*flaw="no_size"\} [1-9]/))
                }
                let text = try String(contentsOfFile: log, encoding: .utf8)
                for message in ["without a usable ETag", "without a time that can be read", "without a size"] {
                    #expect(text.split(separator: "\n").count { $0.contains(message) } == 1)
                }
            }
        }
    }

    // MARK: Objects without an ETag

    private static let withoutETags = StoreDialect.listing { $0.replacing(/<ETag>.*?<\/ETag>/, with: "") }

    @Test(arguments: [0, 1])
    func `gives ESTALE where an object without an ETag is overwritten while it is open`(secondsLater: Int) throws {
        let body = ObjectBody.pattern(seed: 1, byteCount: 24 << 20)
        try withTree(Self.withoutETags) { server in
            server.put("large", body)
            try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                try withOpenFile(mountPoint + "/large") { file in
                    try #expect(file.bytes(in: 0..<1_000) == body.bytes(in: 0..<1_000))
                    server.put(
                        "large", .pattern(seed: 2, byteCount: 24 << 20),
                        lastModified: Timestamp(seconds: Self.time + secondsLater))
                    let end = body.byteCount
                    #expect(errno { try file.bytes(in: end - 1_000..<end) } == .staleNFSFileHandle)
                    try #expect(file.bytes(in: 0..<1_000) == body.bytes(in: 0..<1_000))
                }
            }
        }
    }

    @Test(takeoverAvailable)
    func `keeps an object without an ETag open when another server takes over`() throws {
        let body = ObjectBody.pattern(seed: 1, byteCount: 24 << 20)
        try withTree(Self.withoutETags) { server in
            server.put("large", body)
            try withKilledMount(of: server, options: ["--no-cache"]) { mount in
                try withOpenFile(mount.point + "/large") { file in
                    try #expect(file.bytes(in: 0..<1_000) == body.bytes(in: 0..<1_000))
                    try mount.killServer()
                    let middle = 12 << 20
                    try #expect(file.bytes(in: middle..<middle + 1_000) == body.bytes(in: middle..<middle + 1_000))
                    server.put(
                        "large", .pattern(seed: 2, byteCount: 24 << 20), lastModified: Timestamp(seconds: Self.time + 1)
                    )
                    let end = body.byteCount
                    #expect(errno { try file.bytes(in: end - 1_000..<end) } == .staleNFSFileHandle)
                }
            }
        }
    }

    @Test func `finds an object without an ETag in the cache of an earlier mount, until its time is another`() throws {
        let body = ObjectBody.pattern(seed: 1, byteCount: 1 << 20)
        try withTree(Self.withoutETags) { server in
            server.put("large", body)
            try withTemporaryDirectory { directory in
                let cache = TestCache(path: directory + "/cache")
                let options = cache.options + ["--metadata-ttl", "0s"]
                func read() throws -> [UInt8] {
                    try withMount(of: server, options: options) { mountPoint in
                        try withOpenFile(mountPoint + "/large") { try $0.bytes(in: 0..<1 << 20) }
                    }
                }
                try #expect(read() == body.allBytes)
                server.clearLog()
                try #expect(read() == body.allBytes)
                #expect(server.requests(.get).isEmpty)
                let listing = try runChecked(tractfsExecutable(), ["cache", "list", "--json"] + cache.options)
                #expect(listing.contains(#""etag": null"#))
                try runChecked(tractfsExecutable(), ["cache", "verify"] + cache.options)
                let new = ObjectBody.pattern(seed: 2, byteCount: 1 << 20)
                server.put("large", new, lastModified: Timestamp(seconds: Self.time + 1))
                try #expect(read() == new.allBytes)
            }
        }
    }

    @Test func `has no attribute for an ETag that isn't known`() throws {
        try withTree(Self.withoutETags) { server in
            try withMount(of: server, options: ["--no-cache", "--xattrs"]) { mountPoint in
                let names = try runChecked(
                    "getfattr", ["--absolute-names", "-d", "-m", "user.s3", mountPoint + "/README"])
                #expect(names.contains("user.s3.key"))
                #expect(!names.contains("user.s3.etag"))
            }
        }
    }

    // MARK: Objects that are stored compressed

    @Test func `gives the stored bytes of an object that the store unpacks`() throws {
        let stored = ObjectBody.pattern(seed: 1, byteCount: 20 << 20)
        try withTree(.unpacks(.pattern(seed: 2, byteCount: 60 << 20), announcesLength: false)) { server in
            server.put("packed", stored)
            try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                try withOpenFile(mountPoint + "/packed") { file in
                    try #expect(file.bytes(in: 0..<stored.byteCount) == stored.allBytes)
                }
            }
        }
    }

    // MARK: Names

    @Test(arguments: [("My_Bucket", "RegionOne"), ("tenant:bucket", "Default"), ("a", "region_one")])
    func `may have buckets and regions of any name`(bucket: String, region: String) throws {
        try withS3TestServer(bucket: bucket) { server in
            server.put("folder/file", .text("hello"))
            for options in [["--region", region], []] {
                let environment = environmentWithKeys.merging(options.isEmpty ? ["AWS_REGION": region] : [:]) { $1 }
                try withMount(
                    uri: "s3://\(bucket)/folder",
                    options: ["--endpoint-url", server.endpointURL, "--no-cache"] + options,
                    environment: environment
                ) { mountPoint in
                    try #expect(runChecked("cat", [mountPoint + "/file"]) == "hello")
                    #expect(server.log.allSatisfy { $0.request.signedRegion == region })
                    try #expect(
                        runChecked(tractfsExecutable(), ["status", mountPoint]).contains("s3://\(bucket)/folder"))
                }
            }
        }
    }

    @Test func `is named in the message where such names are refused at AWS`() throws {
        for (uri, environment, message) in [
            ("s3://My_Bucket", [:], "can't be a bucket's name"),
            ("s3://bucket", ["AWS_REGION": "RegionOne"], "AWS_REGION is RegionOne, which can't be a region's name"),
        ] as [(String, [String: String], String)] {
            let result = try run(
                tractfsExecutable(), ["mount", uri, "/nowhere"],
                environment: environmentWithKeys.merging(environment) { $1 })
            #expect(result.status != 0)
            #expect(result.errorOutput.contains(message))
        }
    }
}
