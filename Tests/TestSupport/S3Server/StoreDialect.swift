import Glibc
import ObjectStore

/// Properties of stores that speak S3 and are not AWS.
public enum StoreDialect: Sendable {
    /// Listings are written otherwise.
    case listing(@Sendable (String) -> String)
    /// Answers have other headers.
    case headers(@Sendable (inout [String: String]) -> Void)
    /// Only ListObjects, version 1, is known: `list-type`, `start-after` and `continuation-token` are ignored, or
    /// refused with this status and code.
    case version1(refusal: (status: Int, code: String)? = nil)
    /// No version has positions: each listing is the first page, and says that there are more.
    case withoutPositions
    /// An object is unpacked, and `Range` ignored, unless the client accepts gzip.
    case unpacks(ObjectBody, announcesLength: Bool)
    /// An object is packed on the way, and `Range` ignored, where the client accepts gzip.
    case packs(ObjectBody)

    func apply(to response: inout S3Response, request: S3Request, server: S3TestServer) {
        let acceptsGzip = request.headers["accept-encoding"]?.contains("gzip") == true
        switch self {
        case .listing(let rewritten):
            guard response.status == 200, request.kind == .list else { return }
            let text = String(decoding: response.body.allBytes, as: UTF8.self)
            response = S3Response(status: 200, headers: response.headers, body: .text(rewritten(text)))
        case .headers(let change): change(&response.headers)
        case .version1(let refusal):
            if let refusal, request.query["list-type"] != nil {
                response = .error(refusal.status, refusal.code, "A parameter you provided is not implemented")
            } else {
                answerInVersion1(&response, request, server, marker: request.query["marker"].map(Key.init))
            }
        case .withoutPositions: answerInVersion1(&response, request, server, marker: nil)
        case .unpacks(let body, let announcesLength):
            guard !acceptsGzip, response.status == 206 else { return }
            replaceBody(of: &response, by: body)
            response.announcesLength = announcesLength
        case .packs(let body):
            guard acceptsGzip, response.status == 206 else { return }
            replaceBody(of: &response, by: body)
            response.headers["Content-Encoding"] = "gzip"
            response.headers["ETag"] = response.headers["ETag"].map { String($0.dropLast()) + "-gzip\"" }
            response.announcesLength = false
        }
    }

    private func replaceBody(of response: inout S3Response, by body: ObjectBody) {
        var headers = response.headers
        headers["Content-Range"] = nil
        response = S3Response(status: 200, headers: headers, body: body)
    }

    private func answerInVersion1(
        _ response: inout S3Response, _ request: S3Request, _ server: S3TestServer, marker: Key?
    ) {
        guard var listing = request.listing else { return }
        (listing.startAfter, listing.continuation) = (marker, nil)
        guard let page = server.page(of: listing) else { return }
        let document = listDocument(WrittenPage(page), of: listing, bucket: server.bucket, isURLEncoded: true)
        // S3 has the next marker only with a delimiter.
        let next = page.next != nil && listing.isDelimited ? page.items.last?.key : nil
        let text = String(decoding: document, as: UTF8.self)
            .replacing(/<KeyCount>.*<\/KeyCount>/, with: "<Marker>\(urlEncoded(marker ?? .empty))</Marker>")
            .replacing(/<StartAfter>.*<\/StartAfter>/, with: "")
            .replacing(
                /<NextContinuationToken>.*<\/NextContinuationToken>/,
                with: next.map { "<NextMarker>\(urlEncoded($0))</NextMarker>" } ?? "")
        response = S3Response(status: 200, headers: response.headers, body: .text(text))
    }
}

/// The seconds of a time as header fields have it, as in `Tue, 13 Mar 2018 17:25:04 GMT`; `nil` where it is none.
func seconds(ofHTTPDate text: String) -> Int? {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard let match = text.wholeMatch(of: /..., (\d\d) (...) (\d{4}) (\d\d):(\d\d):(\d\d) GMT/),
        let month = months.firstIndex(of: String(match.2))
    else { return nil }
    var fields = tm()
    fields.tm_mday = Int32(match.1) ?? 0
    fields.tm_mon = Int32(month)
    fields.tm_year = (Int32(match.3) ?? 0) - 1_900
    (fields.tm_hour, fields.tm_min, fields.tm_sec) = (Int32(match.4) ?? 0, Int32(match.5) ?? 0, Int32(match.6) ?? 0)
    return Int(timegm(&fields))
}
