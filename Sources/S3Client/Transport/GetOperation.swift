import ObjectStore
import SystemSupport

/// A range of one object version. Every attempt asks for what is still missing, tied to the version, so that bytes of two
/// attempts are bytes of one version.
///
/// The bytes are those that are stored. A store may unpack an object with Content-Encoding: gzip unless the client accepts that
/// encoding (decompressive transcoding of Google Cloud Storage), and a proxy may compress an answer where the client does. So
/// `Accept-Encoding` is `identity` until an answer shows that the store unpacks, and an answer whose size does not agree with the
/// object's is not used.
final class GetOperation: Operation {
    private let object: ObjectVersion
    private let range: Range<Int>
    private let receiver: any RangeReceiver
    private let traits: StoreTraits
    /// Where the next byte belongs.
    private var offset: Int
    /// An answer that nothing but its end proves to be the object's bytes, and what has come of it; `nil` for other answers.
    private var held: (head: ResponseHead, start: Int, bytes: [UInt8])?
    /// `true` if attempts accept gzip.
    private var acceptsGzip: Bool
    /// `true` if an answer has led to other attempts than the first one was.
    private var hasSwitchedEncoding = false
    let subject: String

    init(_ request: RangeRequest, bucket: String, traits: StoreTraits = StoreTraits(), receiver: any RangeReceiver) {
        object = request.object
        range = request.range
        isAhead = request.isPrefetch
        self.receiver = receiver
        self.traits = traits
        acceptsGzip = traits.unpacks
        offset = request.range.lowerBound
        subject = "s3://\(bucket)/\(request.object.key)"
    }

    var kind: RequestKind { .get }
    let isAhead: Bool
    var receivedByteCount: Int { offset - range.lowerBound }
    var isAwaitingBytes: Bool { offset < range.upperBound }
    /// False while an answer is held: bytes of another attempt must not mix with it.
    var isHedgeable: Bool { held == nil }
    var acceptedEncoding: String { acceptsGzip ? "gzip" : "identity" }
    var missingByteCount: Int { range.upperBound - offset }
    var requestOffset: Int { receivedByteCount }

    func request(at address: BucketAddress) -> HTTPRequest {
        HTTPRequest(
            host: address.host, path: address.path(of: object.key),
            headers: [HTTPHeader("Range", "bytes=\(offset)-\(range.upperBound - 1)")] + condition)
    }

    /// The version that every answer must be of.
    private var condition: [HTTPHeader] {
        if !object.etag.isStandIn { return [HTTPHeader("If-Match", object.etag.text)] }
        if let etag = traits.pinnedETag(of: object) { return [HTTPHeader("If-Match", etag.text)] }
        guard let time = object.etag.standInTime, (0..<Timestamp.textSecondLimit - 1).contains(time.seconds) else {
            return []
        }
        // A header has whole seconds. A fraction is rounded up, or the object would look modified since.
        let second = Timestamp(seconds: time.seconds + (time.nanoseconds > 0 ? 1 : 0))
        return [HTTPHeader("If-Unmodified-Since", second.httpDate)]
    }

    func begin(_ head: ResponseHead, at start: Int) throws(AttemptFailure) {
        held = nil
        try checkVersion(head)
        let rest = range.lowerBound + start..<range.upperBound
        switch head.status {
        case 206:
            guard let content = head.contentRange else { throw malformed("a part without a valid Content-Range") }
            guard content.byteCount == object.byteCount else {
                throw AttemptFailure(
                    StoreError(.changed, "\(subject) now has \(content.byteCount) bytes, not \(object.byteCount)"))
            }
            guard content.range == rest else { throw malformed("another part than asked for") }
        default:
            // A server that ignores Range sends everything, which is right only where everything was wanted. One that unpacks
            // an object ignores Range as well.
            guard rest == 0..<object.byteCount else {
                throw otherwiseEncoded(head, malformed("the whole object instead of a part"))
            }
        }
        if let length = head.contentLength, length != rest.count {
            // Something in between may have cut it short: another connection may do better.
            let failure = malformed("\(length) bytes where \(rest.count) were asked for", remedy: .backOff)
            throw head.status == 206 ? failure : otherwiseEncoded(head, failure)
        }
        // Without a length, all of an object may be in another encoding, and so may a part that says it is in one.
        if head.contentLength == nil, head.status != 206 || head.contentEncoding != nil { held = (head, start, []) }
        if held == nil { noteEncoding() }
    }

    /// Throws where an answer isn't of the version that is wanted.
    private func checkVersion(_ head: ResponseHead) throws(AttemptFailure) {
        let etag = head.etag.flatMap { ETag(validating: Array($0.utf8)) }
        if object.etag.isStandIn { return try checkPin(head, etag: etag) }
        // Without one, nothing would say which version the bytes are of: a server may not know If-Match.
        guard let etag else { throw malformed("an answer without an ETag") }
        guard etag == object.etag else { throw changed("ETag \(Excerpt.of(etag.text.utf8))") }
    }

    /// The same for an object without an ETag in its listing: the time must be that of the listing, and ETag and time those of the
    /// first answer.
    private func checkPin(_ head: ResponseHead, etag: ETag?) throws(AttemptFailure) {
        let time = head.lastModified.flatMap { Timestamp(httpDate: $0) }
        guard etag != nil || time != nil else {
            throw malformed("an answer with neither an ETag nor a valid Last-Modified")
        }
        if let time, let listed = object.etag.standInTime, !Self.isSecond(time, of: listed) {
            throw changed("Last-Modified \(time.httpDate)")
        }
        guard traits.pin(object, to: PinnedVersions.Pin(etag: etag, lastModified: time)) else {
            throw changed("ETag \(etag.map { Excerpt.of($0.text.utf8) } ?? "unknown")")
        }
    }

    /// Returns `true` if a time in whole seconds is the other one, rounded in whichever way.
    private static func isSecond(_ second: Timestamp, of time: Timestamp) -> Bool {
        second.seconds == time.seconds || (time.nanoseconds > 0 && second.seconds - 1 == time.seconds)
    }

    private func changed(_ version: String) -> AttemptFailure {
        AttemptFailure(StoreError(.changed, "\(subject) is now another version (\(version))"))
    }

    /// The failure of an answer that isn't the object as it is stored. Another attempt may bring that: one that accepts gzip where
    /// the answer may have been unpacked, one that doesn't where it was packed on the way.
    private func otherwiseEncoded(_ head: ResponseHead, _ failure: AttemptFailure) -> AttemptFailure {
        let isPacked = head.contentEncoding.map { !ListedText.isWord(Array($0.utf8), "identity") } ?? false
        if acceptsGzip == isPacked && !hasSwitchedEncoding {
            acceptsGzip.toggle()
            hasSwitchedEncoding = true
            return AttemptFailure(failure.error, remedy: .askOtherwise)
        }
        guard isPacked else { return failure }
        let error = failure.error
        return AttemptFailure(
            StoreError(error.code, "\(error.message): it was compressed on the way"), remedy: failure.remedy)
    }

    /// The answer is the object as it is stored: if it is one to another attempt than the first, the store unpacks.
    private func noteEncoding() {
        if acceptsGzip && hasSwitchedEncoding { traits.noteUnpacking() }
    }

    func receive(_ bytes: RawSpan, at start: Int) throws(AttemptFailure) {
        guard bytes.byteCount <= range.count - start else {
            let failure = malformed("more bytes than asked for")
            throw held.map { otherwiseEncoded($0.head, failure) } ?? failure
        }
        if let held, start == held.start + held.bytes.count {
            bytes.withUnsafeBytes { self.held?.bytes.append(contentsOf: $0) }
        } else if start <= receivedByteCount {
            handOver(bytes.extracting(droppingFirst: receivedByteCount - start))
        }
    }

    private func handOver(_ bytes: RawSpan) {
        guard !bytes.isEmpty else { return }
        receiver.receive(bytes, at: offset)
        offset += bytes.byteCount
    }

    func complete() throws(AttemptFailure) {
        if let held {
            self.held = nil
            let missingCount = range.count - held.start
            guard held.bytes.count == missingCount else {
                throw otherwiseEncoded(
                    held.head,
                    malformed("\(held.bytes.count) bytes where \(missingCount) were asked for", remedy: .backOff))
            }
            handOver(held.bytes.span.bytes.extracting(droppingFirst: receivedByteCount - held.start))
            noteEncoding()
        }
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
