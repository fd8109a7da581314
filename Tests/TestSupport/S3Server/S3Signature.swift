internal import CCrypto

/// Signature Version 4 as a server checks it, computed from the request, and written independently of the client.
///
/// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
extension S3Request {
    /// Returns true for a signature, in the header or in the query, that `secret` has made.
    func isSigned(with secret: String) -> Bool {
        guard let signature = SentSignature(self) else { return false }
        let scope = signature.scope.dropFirst()
        guard scope.count == 4, let date = scope.first, scope.last == "aws4_request" else { return false }
        let lines = signature.signedHeaders.map {
            "\($0):\((headers[$0] ?? "").split(separator: " ").joined(separator: " "))\n"
        }
        let canonical = [
            method, String(target.prefix { $0 != "?" }), signature.query, lines.joined(),
            signature.signedHeaders.joined(separator: ";"), signature.bodyHash,
        ].joined(separator: "\n")
        let text = [
            "AWS4-HMAC-SHA256", signature.time, scope.joined(separator: "/"), hex(sha256(Array(canonical.utf8))),
        ].joined(separator: "\n")
        let key = scope.reduce(Array("AWS4\(secret)".utf8)) { hmac($0, Array($1.utf8)) }
        return signature.time.hasPrefix(date) && hex(hmac(key, Array(text.utf8))) == signature.value
    }
}

/// The parts of a signature as they were sent.
private struct SentSignature {
    let scope: [String]
    let signedHeaders: [String]
    let value: String
    let time: String
    let bodyHash: String
    /// The query without the signature, sorted.
    let query: String

    init?(_ request: S3Request) {
        let fields = request.target.split(separator: "?", maxSplits: 1).dropFirst().first?.split(separator: "&") ?? []
        let query =
            fields.filter { !$0.hasPrefix("X-Amz-Signature=") }.map { $0.contains("=") ? String($0) : "\($0)=" }
            .sorted()
            .joined(separator: "&")
        if let authorization = request.headers["authorization"] {
            func field(_ name: String) -> String? {
                authorization.firstRange(of: "\(name)=").map { range in
                    String(authorization[range.upperBound...].prefix { $0 != "," })
                }
            }
            guard let credential = field("Credential"), let headers = field("SignedHeaders"),
                let value = field("Signature"), let time = request.headers["x-amz-date"],
                let hash = request.headers["x-amz-content-sha256"]
            else { return nil }
            self.init(query, credential, headers, value, time, hash)
        } else {
            guard let credential = request.queryText("X-Amz-Credential"),
                let headers = request.queryText("X-Amz-SignedHeaders"), let time = request.queryText("X-Amz-Date"),
                let value = request.queryText("X-Amz-Signature")
            else { return nil }
            self.init(query, credential, headers, value, time, "UNSIGNED-PAYLOAD")
        }
    }

    private init(
        _ query: String, _ credential: String, _ headers: String, _ value: String, _ time: String, _ hash: String
    ) {
        self.query = query
        scope = credential.split(separator: "/").map(String.init)
        signedHeaders = headers.split(separator: ";").map(String.init)
        self.value = value
        self.time = time
        bodyHash = hash
    }
}

private func sha256(_ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    _ = SHA256(message, message.count, &digest)
    return digest
}

private func hmac(_ key: [UInt8], _ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    _ = HMAC(EVP_sha256(), key, CInt(key.count), message, message.count, &digest, nil)
    return digest
}

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { byte in String(Int(byte) + 0x100, radix: 16).dropFirst() }.joined()
}
