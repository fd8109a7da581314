import Glibc
import ObjectStore
import SystemSupport

private let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

/// S3's error document.
func errorDocument(code: String, message: String) -> String {
    """
    \(declaration)<Error><Code>\(code)</Code><Message>\(xmlEscaped(Key(message)))</Message>\
    <RequestId>TESTREQUEST</RequestId><HostId>test</HostId></Error>
    """
}

/// An error document that repeats everything that was sent.
func repetition(of headers: [String: String], code: String) -> [UInt8] {
    let lines = headers.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
    let (request, words) = (
        xmlEscaped(Key(lines.joined(separator: "\n"))), xmlEscaped(Key(lines.joined(separator: " ")))
    )
    let authorization = xmlEscaped(Key(headers["authorization"] ?? ""))
    let token = xmlEscaped(Key(headers["x-amz-security-token"] ?? ""))
    return Array(
        """
        \(declaration)<Error><Code>\(code)</Code><Message>\(authorization) \(words)</Message>\
        <AWSAccessKeyId>\(authorization)</AWSAccessKeyId><StringToSign>AWS4-HMAC-SHA256\n\(request)</StringToSign>\
        <SignatureProvided>\(authorization)</SignatureProvided><CanonicalRequest>GET\n/\n\(request)</CanonicalRequest>\
        <Token-0>\(token)</Token-0><RequestId>\(token)</RequestId><HostId>\(token)</HostId></Error>
        """.utf8)
}

/// A page as the answer to ListObjectsV2.
///
/// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
///
/// - Parameter isURLEncoded: Whether the request had `encoding-type=url`.
func listDocument(_ page: WrittenPage, of request: ListRequest, bucket: String, isURLEncoded: Bool) -> [UInt8] {
    let name = isURLEncoded ? urlEncoded : xmlEscaped
    var text = declaration + "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    text += "<Name>\(bucket)</Name><Prefix>\(name(request.prefix))</Prefix>"
    text += "<KeyCount>\(page.items.count)</KeyCount><MaxKeys>\(request.limit)</MaxKeys>"
    text += request.isDelimited ? "<Delimiter>/</Delimiter>" : ""
    text += isURLEncoded ? "<EncodingType>url</EncodingType>" : ""
    text += request.startAfter.map { "<StartAfter>\(name($0))</StartAfter>" } ?? ""
    text += "<IsTruncated>\(page.isTruncated)</IsTruncated>"
    text += page.token.map { "<NextContinuationToken>\($0.text)</NextContinuationToken>" } ?? ""
    // S3 writes all objects first, then all common prefixes.
    for case .object(let object) in page.items {
        text += """
            <Contents><Key>\(name(object.version.key))</Key>\
            <LastModified>\(isoDate(object.lastModified).dropLast()).000Z</LastModified>\
            <ETag>\(xmlEscaped(Key(object.version.etag.text)))</ETag><Size>\(object.version.byteCount)</Size>\
            <StorageClass>\(object.storageClass)</StorageClass></Contents>
            """
    }
    for case .commonPrefix(let prefix) in page.items {
        text += "<CommonPrefixes><Prefix>\(name(prefix))</Prefix></CommonPrefixes>"
    }
    return Array((text + "</ListBucketResult>").utf8)
}

/// A time as the `Last-Modified` header has it (RFC 9110, section 5.6.7).
func httpDate(_ time: Timestamp) -> String {
    time.httpDate
}

/// A time as documents of S3's have it.
func isoDate(_ time: Timestamp) -> String {
    time.utcText
}

/// A key as XML's character data: its UTF-8 with the markup and all control characters as references.
private func xmlEscaped(_ key: Key) -> String {
    String(decoding: key.bytes, as: UTF8.self).unicodeScalars.map { scalar in
        switch scalar {
        case "&": "&amp;"
        case "<": "&lt;"
        case ">": "&gt;"
        case "\"": "&quot;"
        case "\0"..<" ": "&#x\(String(scalar.value, radix: 16));"
        default: String(scalar)
        }
    }.joined()
}
