import ObjectStore
import TestSupport
import Testing

@testable import S3Client

/// Tests with other implementations of S3, and objects that boto3 wrote.
@Suite(.serialized) struct `A real server` {
    /// Names that are easily signed, encoded or decoded in the wrong way. Each object contains its own name.
    private static let names = [
        "plain", "with space", "a+b", "a%2Bb", "100%", "tab\there", "quote\"d", "apos'trophe", "amp&ersand",
        "hash#mark",
        "quest?ion", "semi;colon", "eq=uals", "at@sign", "col:on", "com,ma", "br[ack]et", "cur{ly}", "pi|pe", "tilde~",
        "dol$lar", "st*ar", "ex!cl", "car^et", "less<than>", "é-ü-漢字-🧠", "e\u{301}", "dir with space/inner+file",
        "back`tick", "paren(theses)",
    ]

    private static let upload = """
        import boto3, sys
        from botocore.config import Config
        s3 = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
        s3.create_bucket(Bucket="odd-names")
        for name in sys.argv[1:]:
            s3.put_object(Bucket="odd-names", Key=name, Body=name.encode())
        """

    /// Checks that each key is listed, and its bytes are returned by a GET.
    private func expectAllNames(_ server: RealServer) throws {
        try runChecked(pythonExecutable(), ["-c", Self.upload] + Self.names, environment: server.environment)
        let client = try S3Client.of(
            server.endpointURL, bucket: "odd-names", id: server.accessKeyID, secret: server.secretAccessKey)
        defer { client.shutdown() }
        let page = try client.page(ListRequest(prefix: "", isDelimited: false)).get()
        // As bytes, since Swift treats both forms of é as equal.
        #expect(page.items.map(\.key) == Self.names.map { Key($0) }.sorted())
        for case .object(let object) in page.items {
            let bytes = try client.bytes(0..<object.version.byteCount, of: object.version).get()
            #expect(bytes == object.version.key.bytes, "\(object.version.key)")
            #expect(object.version.byteCount > 1)
            let tail = try client.bytes(1..<object.version.byteCount, of: object.version).get()
            #expect(tail == Array(object.version.key.bytes.dropFirst()))
        }
    }

    @Test func `the JuiceFS gateway accepts signatures for every odd name`() throws {
        try withJuiceFSGateway { server in
            try expectAllNames(server)
            let wrong = try S3Client.of(
                server.endpointURL, bucket: "odd-names", id: server.accessKeyID, secret: "wrong")
            defer { wrong.shutdown() }
            try #expect(
                wrong.page(ListRequest(prefix: "", isDelimited: true)).failureCode == .credentialsRejected)
        }
    }

    @Test func `moto lists and returns every odd name`() throws {
        try withMoto { server in
            try expectAllNames(server)
            let missing = try S3Client.of(server.endpointURL, bucket: "no-such-bucket")
            defer { missing.shutdown() }
            try #expect(missing.page(ListRequest(prefix: "", isDelimited: true)).failureCode == .noSuchBucket)
        }
    }
}
