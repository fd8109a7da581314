import ObjectStore

/// One page of ListObjectsV2.
final class ListOperation: Operation {
    private let list: ListRequest
    private let completion: @Sendable (Result<ListPage, StoreError>) -> Void
    private var reader: ListPageReader
    /// How many bytes the attempt under way has brought: each begins anew.
    private var byteCount = 0
    /// The most that any has.
    private(set) var receivedByteCount = 0
    private var page: ListPage?
    let subject: String

    /// 1,000 keys of 1,024 bytes, each byte encoded as three, and 500 bytes of other fields for each, are 4 MB.
    private static let byteLimit = 16 << 20
    /// What most pages of 1,000 keys have.
    private static let usualByteCount = 256 << 10

    init(
        _ list: ListRequest, bucket: String,
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) {
        self.list = list
        self.completion = completion
        subject = "the listing of s3://\(bucket)/\(list.prefix)"
        reader = ListPageReader(request: list)
    }

    var kind: RequestKind { .list }
    var isAhead: Bool { false }
    var isAwaitingBytes: Bool { page == nil }
    /// A page doesn't say how long it is.
    var missingByteCount: Int { Self.usualByteCount }
    /// Each attempt begins anew, and the one that began last is read.
    var requestOffset: Int { 0 }

    func request(at address: BucketAddress) -> HTTPRequest {
        var query = [
            QueryItem("list-type", "2"), QueryItem("encoding-type", "url"),
            QueryItem("max-keys", String(list.limit)), QueryItem("prefix", list.prefix.bytes),
        ]
        if list.isDelimited { query.append(QueryItem("delimiter", [Key.delimiter])) }
        if let key = list.startAfter { query.append(QueryItem("start-after", key.bytes)) }
        if let token = list.continuation { query.append(QueryItem("continuation-token", token.text)) }
        return HTTPRequest(host: address.host, path: address.path(of: .empty), query: query)
    }

    func begin(_ head: ResponseHead, at start: Int) throws(AttemptFailure) {
        reader = ListPageReader(request: list)
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
        do { page = try reader.finish() } catch { throw AttemptFailure(error) }
    }

    func finish(_ failure: StoreError?) {
        if let failure {
            completion(.failure(failure))
        } else if let page {
            completion(.success(page))
        }
    }
}
