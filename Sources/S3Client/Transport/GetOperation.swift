import ObjectStore

/// A range of one object version. Every attempt asks for what is still missing, tied to the ETag, so that bytes of two
/// attempts are bytes of one version.
final class GetOperation: Operation {
    private let object: ObjectVersion
    private let range: Range<Int>
    private let receiver: any RangeReceiver
    /// Where the next byte belongs.
    private var offset: Int
    let subject: String

    init(_ request: RangeRequest, bucket: String, receiver: any RangeReceiver) {
        object = request.object
        range = request.range
        isAhead = request.isAhead
        self.receiver = receiver
        offset = request.range.lowerBound
        subject = "s3://\(bucket)/\(request.object.key)"
    }

    var kind: RequestKind { .get }
    let isAhead: Bool
    var receivedByteCount: Int { offset - range.lowerBound }
    var isAwaitingBytes: Bool { offset < range.upperBound }
    var missingByteCount: Int { range.upperBound - offset }
    var requestOffset: Int { receivedByteCount }

    func request(at address: BucketAddress) -> HTTPRequest {
        HTTPRequest(
            host: address.host, path: address.path(of: object.key),
            headers: [
                HTTPHeader("Range", "bytes=\(offset)-\(range.upperBound - 1)"),
                HTTPHeader("If-Match", object.etag.text),
            ])
    }

    func begin(_ head: ResponseHead, at start: Int) throws(AttemptFailure) {
        let wanted = range.lowerBound + start..<range.upperBound
        // Without one, nothing would say which version the bytes are of: a server may not know If-Match.
        guard let etag = head.etag else { throw malformed("an answer without an ETag") }
        guard etag == object.etag.text else {
            throw AttemptFailure(
                StoreError(.changed, "\(subject) is now another version (ETag \(Excerpt.of(etag.utf8)))"))
        }
        switch head.status {
        case 206:
            guard let content = head.contentRange else { throw malformed("a part without a valid Content-Range") }
            guard content.byteCount == object.byteCount else {
                throw AttemptFailure(
                    StoreError(.changed, "\(subject) now has \(content.byteCount) bytes, not \(object.byteCount)"))
            }
            guard content.range == wanted else { throw malformed("another part than asked for") }
        default:
            // A server that ignores Range sends everything, which is right only where everything was wanted.
            guard wanted == 0..<object.byteCount else {
                throw malformed("the whole object instead of a part")
            }
        }
        if let length = head.contentLength, length != wanted.count {
            // Something in between may have cut it short: another connection may do better.
            throw malformed("\(length) bytes where \(wanted.count) were asked for", remedy: .backOff)
        }
    }

    func receive(_ bytes: RawSpan, at start: Int) throws(AttemptFailure) {
        guard bytes.byteCount <= range.count - start else { throw malformed("more bytes than asked for") }
        let news = bytes.extracting(droppingFirst: receivedByteCount - start)
        guard !news.isEmpty else { return }
        receiver.receive(news, at: offset)
        offset += news.byteCount
    }

    func complete() throws(AttemptFailure) {
        guard offset == range.upperBound else {
            throw AttemptFailure(
                StoreError(
                    .malformedResponse,
                    "the store's answer for \(subject) ended \(range.upperBound - offset) bytes too early"),
                remedy: .backOff)
        }
    }

    func finish(_ failure: StoreError?) {
        receiver.finish(failure.map { .failure($0) } ?? .success(()))
    }

    private func malformed(_ what: String, remedy: AttemptFailure.Remedy = .none) -> AttemptFailure {
        AttemptFailure(StoreError(.malformedResponse, "the store sent \(what) for \(subject)"), remedy: remedy)
    }
}
