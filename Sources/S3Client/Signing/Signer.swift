import ObjectStore
import SystemSupport

/// AWS Signature Version 4.
///
/// Source: "Authenticating Requests (AWS Signature Version 4)" in the Amazon S3 API Reference. S3 differs from other
/// services: the path is encoded once and not normalised, and the hash of the body is a header of its own. The others take
/// such a header as well, and as long as their path is "/" there is nothing to normalise.
struct Signer: Sendable {
    let credentials: Credentials
    let region: String
    /// The service's name in the signature: "s3", "sts", and "s3express" for directory buckets.
    var service = "s3"
    /// When the request is sent. S3 refuses what differs from its own clock by more than 15 minutes.
    let time: Timestamp

    /// The SHA-256 of no bytes: none of the requests to S3 has a body.
    private static let emptyBodyHash = Digest.hex(Digest.sha256([]))
    private static let algorithm = "AWS4-HMAC-SHA256"

    /// The request with the headers that sign it (the header form).
    func signed(_ request: HTTPRequest) -> HTTPRequest {
        var signed = request
        let bodyHash = request.body.isEmpty ? Self.emptyBodyHash : Digest.hex(Digest.sha256(request.body))
        signed.headers.append(HTTPHeader("x-amz-content-sha256", bodyHash))
        signed.headers.append(HTTPHeader("x-amz-date", time.utcBasicText))
        if let token = credentials.sessionToken {
            signed.headers.append(HTTPHeader(credentials.purpose.tokenName.lowercased(), token))
        }
        let headers = CanonicalHeaders(of: signed)
        let signature = signature(of: signed, headers: headers, bodyHash: bodyHash)
        let value =
            "\(Self.algorithm) Credential=\(credentials.accessKeyID)/\(scope), "
            + "SignedHeaders=\(headers.names), Signature=\(signature)"
        signed.headers.append(HTTPHeader("Authorization", value))
        return signed
    }

    /// The request with a query that signs it (the presigned form): whoever has its URL may send it.
    ///
    /// - Parameter lifetime: For how many seconds, at most 604,800 (seven days).
    func presigned(_ request: HTTPRequest, lifetime: Int) -> HTTPRequest {
        var signed = request
        let headers = CanonicalHeaders(of: request)
        signed.query += [
            QueryItem("X-Amz-Algorithm", Self.algorithm),
            QueryItem("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope)"),
            QueryItem("X-Amz-Date", time.utcBasicText),
            QueryItem("X-Amz-Expires", String(lifetime)),
            QueryItem("X-Amz-SignedHeaders", headers.names),
        ]
        if let token = credentials.sessionToken {
            signed.query.append(QueryItem(credentials.purpose.tokenName, token))
        }
        let signature = signature(of: signed, headers: headers, bodyHash: "UNSIGNED-PAYLOAD")
        signed.query.append(QueryItem("X-Amz-Signature", signature))
        return signed
    }

    /// What the signing key is good for: a day, a region, a service.
    private var scope: String {
        "\(time.utcBasicDate)/\(region)/\(service)/aws4_request"
    }

    private func signature(of request: HTTPRequest, headers: CanonicalHeaders, bodyHash: String) -> String {
        let canonicalRequest = [
            request.method, request.path, request.canonicalQuery, headers.lines, headers.names, bodyHash,
        ].joined(separator: "\n")
        let stringToSign = [
            Self.algorithm, time.utcBasicText, scope,
            Digest.hex(Digest.sha256(Array(canonicalRequest.utf8))),
        ].joined(separator: "\n")
        return Digest.hex(Digest.hmac(key: signingKey, Array(stringToSign.utf8)))
    }

    private var signingKey: [UInt8] {
        [time.utcBasicDate, region, service, "aws4_request"].reduce(
            Array("AWS4\(credentials.secretAccessKey)".utf8)
        ) { key, part in
            Digest.hmac(key: key, Array(part.utf8))
        }
    }
}

extension Credentials.Purpose {
    /// The name of the token's field, as a query has it. A header has it in lower case.
    fileprivate var tokenName: String {
        switch self {
        case .account: "X-Amz-Security-Token"
        case .bucketSession: "X-Amz-S3session-Token"
        }
    }

    /// The service's name in the signature of S3's requests.
    var service: String {
        switch self {
        case .account: "s3"
        case .bucketSession: "s3express"
        }
    }
}

/// A request's headers in the form that is signed: names in lower case and sorted, values trimmed and their inner runs
/// of spaces made one.
private struct CanonicalHeaders {
    /// `name:value\n` for each.
    let lines: String
    /// The names, separated by ";".
    let names: String

    init(of request: HTTPRequest) {
        let all = request.headers + [HTTPHeader("host", request.host)]
        let sorted = all.map { HTTPHeader($0.name.lowercased(), $0.value) }.sorted { $0.name < $1.name }
        lines = sorted.map { header in
            "\(header.name):\(Self.trimmed(header.value))\n"
        }.joined()
        names = sorted.map(\.name).joined(separator: ";")
    }

    private static func trimmed(_ value: String) -> String {
        // Hardly any value has one, and this is done for every header of every request.
        guard value.utf8.contains(UInt8(ascii: " ")) else { return value }
        return value.split(separator: " ").joined(separator: " ")
    }
}
