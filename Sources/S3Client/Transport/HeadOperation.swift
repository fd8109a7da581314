import ObjectStore
import SystemSupport

/// The description of one object, as HeadObject gives it.
final class HeadOperation: Operation {
    private let key: Key
    private let completion: @Sendable (Result<ListedObject?, StoreError>) -> Void
    private var object: ListedObject?
    let subject: String

    init(
        _ key: Key, bucket: String, completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void
    ) {
        self.key = key
        self.completion = completion
        subject = "the description of s3://\(bucket)/\(key)"
    }

    var kind: RequestKind { .get }
    var isAhead: Bool { false }
    var receivedByteCount: Int { 0 }
    var isAwaitingBytes: Bool { object == nil }
    var missingByteCount: Int { 0 }
    var requestOffset: Int { 0 }

    func request(at address: BucketAddress) -> HTTPRequest {
        HTTPRequest(method: "HEAD", host: address.host, path: address.path(of: key))
    }

    func begin(_ head: ResponseHead, at start: Int) throws(AttemptFailure) {
        guard let byteCount = head.contentLength, byteCount <= ObjectVersion.byteCountLimit else {
            throw malformed("no valid size")
        }
        // Both only describe: some gateways leave one of them out of HEADs.
        let lastModified = head.lastModified.flatMap { Timestamp(httpDate: $0) }
        let etag = head.etag.flatMap { ETag(validating: Array($0.utf8)) } ?? ETag(standInFor: lastModified)
        object = ListedObject(
            version: ObjectVersion(key: key, etag: etag, byteCount: byteCount),
            lastModified: lastModified ?? .unknown, storageClass: head.storageClass ?? "STANDARD")
    }

    /// A HEAD has no body.
    func receive(_ bytes: RawSpan, at start: Int) throws(AttemptFailure) {}

    func complete() throws(AttemptFailure) {}

    /// A response to HEAD has no error document. AWS answers an expired token with a bare 400, so other credentials are tried.
    func remedy(for refusal: AttemptFailure) -> AttemptFailure {
        guard refusal.answer == "HTTP 400", refusal.remedy == .none else { return refusal }
        return AttemptFailure(
            StoreError(.credentialsExpired, refusal.error.message, requestID: refusal.error.requestID),
            remedy: .renewCredentials, answer: refusal.answer)
    }

    func finish(_ failure: StoreError?) {
        if let failure {
            completion(failure.code == .noSuchKey ? .success(nil) : .failure(failure))
        } else {
            completion(.success(object))
        }
    }

    private func malformed(_ problem: String) -> AttemptFailure {
        AttemptFailure(StoreError(.malformedResponse, "\(subject) can't be used: it has \(problem)"))
    }
}
