import ObjectStore
import SystemSupport

/// The true answers of a bucket, before a script spoils them.
struct S3Answer {
    let request: S3Request
    let contents: StoreContents
    let server: S3TestServer

    /// The answer to the request.
    func response() -> S3Response {
        guard request.bucket == server.bucket else {
            return .error(404, "NoSuchBucket", "The specified bucket does not exist")
        }
        switch request.kind {
        case .list: return list()
        case .get: return object()
        case .head: return request.key == .empty ? S3Response(status: 200) : object()
        case .session: return .error(501, "NotImplemented", "The bucket is no directory bucket")
        case .other: return .error(405, "MethodNotAllowed", "The test server lists and reads only")
        }
    }

    private func list() -> S3Response {
        guard ["/", ""].contains(request.queryText("delimiter") ?? "") else {
            return .error(501, "NotImplemented", "The test server's only delimiter is /")
        }
        guard let listing = request.listing else {
            return .error(400, "InvalidArgument", "max-keys is not a positive number")
        }
        guard let page = server.page(of: listing, from: contents) else {
            return .error(400, "InvalidArgument", "The continuation token provided is incorrect")
        }
        return S3Response(listing, WrittenPage(page), request: request, server: server)
    }

    private func object() -> S3Response {
        guard let object = contents[request.key] else {
            return .error(404, "NoSuchKey", "The specified key does not exist.")
        }
        guard request.headers["if-match"] ?? object.version.etag.text == object.version.etag.text else {
            return .error(
                412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        }
        if let time = request.headers["if-unmodified-since"].flatMap(seconds(ofHTTPDate:)),
            object.listed.lastModified > Timestamp(seconds: time)
        {
            return .error(
                412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        }
        var response = S3Response(
            status: 200,
            headers: [
                "Content-Type": "binary/octet-stream", "Accept-Ranges": "bytes", "ETag": object.version.etag.text,
                "Last-Modified": httpDate(object.listed.lastModified),
            ],
            body: object.body)
        guard let field = request.headers["range"] else { return response }
        guard let range = byteRange(field, byteCount: object.body.byteCount) else {
            return .error(416, "InvalidRange", "The requested range is not satisfiable")
        }
        response.status = 206
        response.range = range
        response.headers["Content-Range"] =
            "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(object.body.byteCount)"
        return response
    }
}

extension S3Response {
    /// The answer to ListObjectsV2.
    init(_ listing: ListRequest, _ page: WrittenPage, request: S3Request, server: S3TestServer) {
        let isURLEncoded = request.queryText("encoding-type") == "url"
        self.init(
            status: 200, headers: ["Content-Type": "application/xml", "x-amz-bucket-region": server.region],
            body: .bytes(listDocument(page, of: listing, bucket: server.bucket, isURLEncoded: isURLEncoded)))
    }
}

/// The offsets that a `Range` header of one range asks for (RFC 9110, section 14.1.2), cut at the object's end.
///
/// - Returns: `nil` where no byte of the object is in it.
private func byteRange(_ field: String, byteCount: Int) -> Range<Int>? {
    guard field.hasPrefix("bytes=") else { return nil }
    let ends = field.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count == 2 else { return nil }
    if ends[0].isEmpty {
        guard let suffix = Int(ends[1]), suffix > 0, byteCount > 0 else { return nil }
        return max(0, byteCount - suffix)..<byteCount
    }
    guard let first = Int(ends[0]), first < byteCount else { return nil }
    guard let last = ends[1].isEmpty ? byteCount - 1 : Int(ends[1]), last >= first else { return nil }
    return first..<min(last, byteCount - 1) + 1
}
