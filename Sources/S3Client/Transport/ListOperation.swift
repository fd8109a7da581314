import ObjectStore

/// A request for a page of ListObjectsV2, or of ListObjects (version 1) for a store that supports only that.
final class ListOperation: Operation {
    private let list: ListRequest
    private let completion: @Sendable (Result<ListPage, StoreError>) -> Void
    private let traits: StoreTraits
    private var reader: ListPageReader
    /// `true` if attempts use `marker`, like version 1. Decided once, since two attempts may be in flight; `nil` until
    /// the first request, and when the next one is to have the other form.
    private var markedForm: Bool?
    /// `true` if version 1 is tried although the store has not shown that it needs it.
    private var triesMarker = false
    /// The number of bytes of the current attempt; each attempt starts again.
    private var byteCount = 0
    /// The maximum number of bytes of any attempt.
    private(set) var receivedByteCount = 0
    private var page: ListPage?
    let subject: String

    /// The maximum size of a page. 1,000 keys of 1,024 bytes, each byte encoded as three, and 500 bytes of other fields
    /// for each, are 4 MB.
    private static let byteLimit = 16 << 20
    /// The usual size of a page of 1,000 keys.
    private static let usualByteCount = 256 << 10

    init(
        _ list: ListRequest, bucket: String, traits: StoreTraits = StoreTraits(),
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) {
        self.list = list
        self.completion = completion
        self.traits = traits
        subject = "the listing of s3://\(bucket)/\(list.prefix)"
        reader = ListPageReader(request: list)
    }

    var kind: RequestKind { .list }
    var isAhead: Bool { false }
    var isAwaitingBytes: Bool { page == nil }
    private var isMarked: Bool { markedForm ?? false }
    /// An estimate, since a page has no length.
    var missingByteCount: Int { Self.usualByteCount }
    /// Each attempt starts again, and the newest one is parsed.
    var requestOffset: Int { 0 }

    func request(at address: BucketAddress) -> HTTPRequest {
        // A token of the store belongs to version 2, whatever was learned since.
        let isMarked = markedForm ?? list.continuation.map { $0.marker != nil } ?? (triesMarker || traits.isMarked)
        markedForm = isMarked
        var query = [
            QueryItem("encoding-type", "url"), QueryItem("max-keys", String(list.limit)),
            QueryItem("prefix", list.prefix.bytes),
        ]
        if list.isDelimited { query.append(QueryItem("delimiter", [Key.delimiter])) }
        if isMarked {
            if let key = list.position { query.append(QueryItem("marker", key.bytes)) }
        } else {
            query.append(QueryItem("list-type", "2"))
            if let key = list.startAfter { query.append(QueryItem("start-after", key.bytes)) }
            if let token = list.continuation { query.append(QueryItem("continuation-token", token.text)) }
        }
        return HTTPRequest(host: address.host, path: address.path(of: .empty), query: query)
    }

    func begin(_ head: ResponseHead, at start: Int) throws(AttemptFailure) {
        reader = ListPageReader(request: list, isMarked: isMarked, isEncodingIgnored: traits.isEncodingIgnored)
        byteCount = 0
    }

    func receive(_ bytes: RawSpan, at start: Int) throws(AttemptFailure) {
        byteCount += bytes.byteCount
        guard byteCount <= Self.byteLimit else {
            throw AttemptFailure(
                StoreError(.malformedResponse, "the store's listing is longer than \(Self.byteLimit) bytes"))
        }
        receivedByteCount = max(receivedByteCount, byteCount)
        do { try reader.receive(bytes) } catch { throw AttemptFailure(error) }
    }

    func complete() throws(AttemptFailure) {
        let page: ListPage
        do { page = try reader.finish() } catch { throw AttemptFailure(error) }
        if reader.isFalselyEncoded { traits.noteIgnoredEncoding() }
        try checkPosition(of: page)
        self.page = page
    }

    /// Throws an error if the page does not begin at its start, and version 1 may help.
    private func checkPosition(of page: ListPage) throws(AttemptFailure) {
        if isMarked {
            // This was a trial: the response shows that the store needs version 1.
            if triesMarker && page.isOrdered { traits.noteMarkers() }
            return
        }
        if reader.isVersion1 || page.next?.marker != nil { traits.noteMarkers() }
        guard list.startAfter != nil, list.continuation == nil, !reader.isVersion2,
            reader.isVersion1 || !page.isOrdered
        else { return }
        tryMarker()
        throw AttemptFailure(
            StoreError(.malformedResponse, "the store does not know start-after"), remedy: .askOtherwise)
    }

    private func tryMarker() {
        triesMarker = true
        markedForm = nil
    }

    /// A store that refuses ListObjectsV2 may support version 1.
    func remedy(for refusal: AttemptFailure) -> AttemptFailure {
        guard refusal.isUnknownRequest, !isMarked, list.continuation == nil else { return refusal }
        tryMarker()
        return AttemptFailure(refusal.error, remedy: .askOtherwise, answer: refusal.answer)
    }

    func finish(_ failure: StoreError?) {
        if let failure {
            completion(.failure(failure))
        } else if let page {
            traits.note(reader.flaws, in: subject)
            completion(.success(page))
        }
    }
}
