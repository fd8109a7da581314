import Foundation
import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

/// AWS's examples: "Signature Calculations for the Authorization Header" and "Authenticating Requests: Using Query
/// Parameters" in the Amazon S3 API Reference.
@Suite struct `The signatures of AWS's documentation` {
    private let signer = Signer(
        credentials: Credentials(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        region: "us-east-1",
        time: Timestamp(seconds: 1_369_353_600))
    private let host = "examplebucket.s3.amazonaws.com"

    private func signature(_ request: HTTPRequest) -> String? {
        let authorization = signer.signed(request).headers.first { $0.name == "Authorization" }?.value
        return authorization?.split(separator: "Signature=").last.map(String.init)
    }

    @Test func `get an object with a range`() {
        let request = HTTPRequest(host: host, path: "/test.txt", headers: [HTTPHeader("Range", "bytes=0-9")])
        #expect(signature(request) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
    }

    @Test func `get the lifecycle of a bucket`() {
        let request = HTTPRequest(host: host, path: "/", query: [QueryItem("lifecycle", "")])
        #expect(signature(request) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543")
    }

    @Test func `list objects`() {
        let request = HTTPRequest(
            host: host, path: "/", query: [QueryItem("prefix", "J"), QueryItem("max-keys", "2")])
        #expect(signature(request) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    }

    @Test func `a presigned URL`() {
        let request = signer.presigned(HTTPRequest(host: host, path: "/test.txt"), lifetime: 86_400)
        let signature = request.query.last.map { String(decoding: $0.value, as: UTF8.self) }
        #expect(signature == "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }
}

@Suite struct `Signatures and botocore's` {
    /// A request that botocore signed, as `signer_reference.py` prints it.
    private struct Reference: Decodable {
        let seconds: Int
        let host: String
        let key: String
        let service: String
        let method: String
        let body: String
        let query: [String: String]
        let headers: [String: String]
        let region: String
        let id: String
        let secret: String
        let token: String?
        let lifetime: Int
        let authorization: String
        let presignature: String
    }

    @Test(.enabled(if: hasBotocore, "python3 has no botocore: pip install botocore"))
    func `agree on a thousand random requests`() throws {
        let seed = Int.random(in: 0..<1_000_000)
        print("seed \(seed)")
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "signer_reference.py")
        let lines = try runChecked(pythonExecutable(), [script.path, String(seed), "1000"]).split(separator: "\n")
        #expect(lines.count == 1_000)
        for line in lines {
            let reference = try JSONDecoder().decode(Reference.self, from: Data(line.utf8))
            let credentials = Credentials(
                accessKeyID: reference.id, secretAccessKey: reference.secret, sessionToken: reference.token)
            let time = Timestamp(seconds: reference.seconds)
            var request = HTTPRequest(
                host: reference.host, path: "/" + PercentEncoding.encode(reference.key.utf8, as: .path),
                query: reference.query.map { QueryItem($0, $1) },
                headers: reference.headers.map { HTTPHeader($0, $1) })
            // Objects only are presigned, also with a session's token.
            let presigned = Signer(credentials: credentials, region: reference.region, time: time)
                .presigned(request, lifetime: reference.lifetime)
            request.method = reference.method
            request.body = Array(reference.body.utf8)
            let signed = Signer(
                credentials: credentials, region: reference.region, service: reference.service, time: time
            ).signed(request)
            #expect(signed.headers.last == HTTPHeader("Authorization", reference.authorization), "seed \(seed)")
            #expect(presigned.query.last == QueryItem("X-Amz-Signature", reference.presignature), "seed \(seed)")
        }
    }
}
