import Foundation
import ObjectStore
import TestSupport
import Testing

/// The test server's listings, compared with those of real servers through boto3. Tests against ours would prove little
/// if it listed in its own way.
@Suite struct ListingAgreementTests {
    /// Keys that sort and encode in every way, and that a server of files can store: none is a prefix of another.
    private static func keys(seed: UInt64) -> [String] {
        var random = SeededGenerator(seed: seed)
        let names = ["a", "a.b", "a+b", "a b", "a%20b", "A", "é", "日本", "0", "~", "#", "&amp;", "'\"", "_", "[x],y"]
        let keys = (0..<40).map { index in
            let depth = Int.random(in: 0...3, using: &random)
            let folders = (0..<depth).map { _ in names.randomElement(using: &random) ?? "a" }
            return (folders + ["f\(index)" + (names.randomElement(using: &random) ?? "a")]).joined(separator: "/")
        }
        return keys
    }

    /// Lists in several ways with boto3; prints what came.
    private static let listing = """
        import boto3, itertools, json, sys
        from botocore.config import Config
        client = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
        for prefix, delimiter, limit in itertools.product(["", "a", "a/", "a b/"], ["", "/"], [3, 1000]):
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket="tract-test", Prefix=prefix, Delimiter=delimiter, PaginationConfig={"PageSize": limit})
            keys, prefixes = [], []
            for page in pages:
                keys += [item["Key"] for item in page.get("Contents", [])]
                prefixes += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
            print(json.dumps([prefix, delimiter, limit, keys, prefixes]))
        """

    private func list(_ environment: [String: String]) throws -> String {
        try runChecked(pythonExecutable(), ["-c", Self.listing], environment: environment)
    }

    /// Returns the listing of our server.
    private func ourListing(_ keys: [String], environment: [String: String]) throws -> String {
        try withS3TestServer { server in
            for key in keys { server.put(Key(key), .text(key)) }
            return try list(environment.merging(["AWS_ENDPOINT_URL": server.endpointURL]) { $1 })
        }
    }

    private func expectAgreement(with server: RealServer, seed: UInt64) throws {
        let keys = Self.keys(seed: seed)
        try withTemporaryDirectory { directory in
            for key in keys {
                let file = URL(fileURLWithPath: directory + "/" + key)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(key.utf8).write(to: file)
            }
            try server.upload(directory: directory, bucket: "tract-test")
        }
        let theirs = try list(server.environment)
        let ours = try ourListing(keys, environment: server.environment)
        #expect(ours == theirs, "seed \(seed)")
        #expect(theirs.split(separator: "\n").count == 16)
    }

    @Test func `The test server lists as JuiceFS's gateway does`() throws {
        try withJuiceFSGateway { try expectAgreement(with: $0, seed: .random(in: 0...(.max))) }
    }

    @Test func `The test server lists as moto does`() throws {
        try withMoto { try expectAgreement(with: $0, seed: .random(in: 0...(.max))) }
    }
}
