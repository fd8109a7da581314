import ObjectStore
import SystemSupport
import Testing

@testable import S3Client

private func head(_ status: Int, _ fields: [String] = []) -> ResponseHead {
    var head = ResponseHead()
    for line in ["HTTP/1.1 \(status) X"] + fields { _ = head.receive(line: Array("\(line)\r\n".utf8)) }
    return head
}

private func failure(_ head: ResponseHead, _ body: String, isListing: Bool = false) -> AttemptFailure {
    AttemptFailure(
        head: head, body: Array(body.utf8), subject: "s3://b/k", isListing: isListing,
        now: Timestamp(seconds: 1_369_353_600))
}

private func document(_ code: String, _ more: String = "") -> String {
    "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>words</Message><RequestId>R1</RequestId>\(more)</Error>"
}

@Suite struct `A refusal` {
    @Test(
        arguments: [
            (404, "NoSuchKey", .noSuchKey, .none), (404, "NoSuchBucket", .noSuchBucket, .none),
            (403, "AccessDenied", .accessDenied, .none),
            (403, "InvalidAccessKeyId", .credentialsRejected, .renewCredentials),
            (403, "SignatureDoesNotMatch", .credentialsRejected, .renewCredentials),
            (400, "InvalidToken", .credentialsRejected, .renewCredentials),
            (400, "ExpiredToken", .credentialsExpired, .renewCredentials),
            (400, "TokenRefreshRequired", .credentialsExpired, .renewCredentials),
            (403, "InvalidObjectState", .archived, .none),
            (412, "PreconditionFailed", .changed, .none), (416, "InvalidRange", .changed, .none),
            (503, "SlowDown", .throttled, .backOff), (500, "InternalError", .serverFault, .backOff),
            (400, "RequestTimeout", .timedOut, .backOff), (400, "SomethingNew", .refused, .none),
            (501, "NotImplemented", .refused, .none),
            (403, "KMS.DisabledException", .accessDenied, .none),
        ] as [(Int, String, StoreError.Code, AttemptFailure.Remedy)])
    func `with an error document means what its code says`(
        status: Int, code: String, meaning: StoreError.Code, remedy: AttemptFailure.Remedy
    ) {
        let failure = failure(head(status), document(code))
        #expect(failure.error.code == meaning)
        #expect(failure.remedy == remedy)
        #expect(failure.error.message.contains("\(code): words (HTTP \(status))"))
        #expect(failure.error.requestID == "R1")
    }

    @Test(
        arguments: [
            (404, .noSuchKey, .none), (403, .accessDenied, .none), (412, .changed, .none), (416, .changed, .none),
            (429, .throttled, .backOff), (503, .throttled, .backOff), (500, .serverFault, .backOff),
            (501, .refused, .none), (502, .serverFault, .backOff), (504, .serverFault, .backOff),
            (418, .refused, .none),
        ] as [(Int, StoreError.Code, AttemptFailure.Remedy)])
    func `without one means what its status says`(
        status: Int, meaning: StoreError.Code, remedy: AttemptFailure.Remedy
    ) {
        let failure = failure(head(status), "")
        #expect(failure.error.code == meaning)
        #expect(failure.remedy == remedy)
    }

    @Test func `of a missing bucket without a document is told from a missing key`() {
        #expect(failure(head(404), "", isListing: true).error.code == .noSuchBucket)
    }

    @Test(arguments: [
        (301, ["x-amz-bucket-region: eu-west-1"], ""), (307, ["x-amz-bucket-region: eu-west-1"], ""),
        (400, [], document("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")),
    ])
    func `that names another region says to go there`(status: Int, fields: [String], body: String) {
        #expect(failure(head(status, fields), body).remedy == .useRegion("eu-west-1"))
    }

    @Test func `never sends anybody to a region that is none`() {
        let failure = failure(head(301, ["x-amz-bucket-region: evil.example.org/"]), "")
        #expect(failure.remedy == .none)
        #expect(failure.error.code == .wrongRegion)
    }

    @Test(arguments: ["RegionOne", "Default", "garage", "a_b"])
    func `of a store that isn't AWS's may name any region`(region: String) {
        let head = head(400)
        let body = Array(document("AuthorizationHeaderMalformed", "<Region>\(region)</Region>").utf8)
        func remedy(isAWS: Bool) -> AttemptFailure.Remedy {
            AttemptFailure(
                head: head, body: body, subject: "s3://b/k", isListing: true, isAWS: isAWS,
                now: Timestamp(seconds: 1_369_353_600)
            ).remedy
        }
        #expect(remedy(isAWS: false) == .useRegion(region))
        #expect(remedy(isAWS: true) == (region == "garage" ? .useRegion(region) : .none))
    }

    @Test(arguments: [
        (501, "NotImplemented", true), (400, "NotImplemented", true), (400, "InvalidArgument", true), (400, "", true),
        (501, "", true), (403, "AccessDenied", false), (400, "ExpiredToken", false), (404, "NoSuchBucket", false),
        (500, "InternalError", false), (503, "", false),
    ])
    func `says whether a store that isn't AWS's knows such requests`(status: Int, code: String, isUnknown: Bool) {
        for isAWS in [false, true] {
            let failure = AttemptFailure(
                head: head(status), body: code.isEmpty ? [] : Array(document(code).utf8), subject: "s3://b/k",
                isListing: true, isAWS: isAWS, now: Timestamp(seconds: 1_369_353_600))
            #expect(failure.isUnknownRequest == (isUnknown && !isAWS))
        }
    }

    @Test func `A bare 400 to a HEAD, which may be an expired token, looks for other credentials`() {
        let operation = HeadOperation("k", bucket: "b") { _ in }
        #expect(operation.remedy(for: failure(head(400), "")).remedy == .renewCredentials)
        #expect(operation.remedy(for: failure(head(404), "")).error.code == .noSuchKey)
        #expect(operation.remedy(for: failure(head(503), "")).remedy == .backOff)
    }

    @Test func `of a skewed clock says how far`() {
        let failure = failure(
            head(403, ["Date: Fri, 24 May 2013 01:00:00 GMT"]), document("RequestTimeTooSkewed"))
        #expect(failure.remedy == .setClock(seconds: 3_600))
    }

    @Test func `in HTML is a proxy's, not the store's`() {
        let failure = failure(head(403), "<html><body>Blocked by policy</body></html>")
        #expect(failure.error.code == .malformedResponse)
        #expect(failure.error.message.contains("Blocked by policy"))
    }

    @Test func `can't forge a line of a log`() {
        #expect(
            !failure(head(400), document("Odd", "").replacing("words", with: "a&#10;b")).error.message.contains("\n"))
    }
}

@Suite struct `A response's head` {
    @Test func `begins again with a new status line`() {
        var head = head(100, ["ETag: \"no\""])
        for line in [
            "HTTP/1.1 206 Partial Content", "etag:  \"e\" ", "Content-Range: bytes 5-9/10", "Content-Length: 5",
        ] {
            _ = head.receive(line: Array("\(line)\r\n".utf8))
        }
        #expect(head.status == 206)
        #expect(head.etag == "\"e\"")
        #expect(head.contentRange == ContentRange(range: 5..<10, byteCount: 10))
        #expect(head.contentLength == 5)
    }

    @Test(arguments: [
        ("HTTP/1.1 206 Partial Content\r\n", 206), ("HTTP/2 206\r\n", 206), ("HTTP/1.1  206", 206), ("HTTP/1.1\r\n", 0),
        ("HTTP/1.1 x\r\n", 0), ("HTTP/", 0), ("HTTP/1.1 -12\r\n", 0),
    ])
    func `has the status of its first line`(line: String, status: Int) {
        var head = ResponseHead()
        _ = head.receive(line: Array(line.utf8))
        #expect(head.status == status)
    }

    @Test(arguments: [
        ("ETag: \"e\"\r\n", "\"e\""), ("ETAG:\"e\"", "\"e\""), ("etag: \t a b \t\r\n", "a b"), ("etag:\r\n", ""),
        ("etag:", ""),
        ("etags: e\r\n", nil), ("eta: e\r\n", nil), ("etag : e\r\n", nil), (": e\r\n", nil), ("etag\r\n", nil),
        ("\r\n", nil),
        ("", nil),
    ])
    func `has a field by its name in any case, without the blanks around`(line: String, etag: String?) {
        var head = ResponseHead()
        let isTaken = head.receive(line: Array(line.utf8))
        #expect(isTaken)
        #expect(head.etag == etag)
    }

    @Test(arguments: ["", "bytes */10", "bytes 5-4/10", "bytes 0-10/10", "bytes 0-9/*", "items 0-9/10", "bytes 0-9"])
    func `has no range where the field is odd`(value: String) {
        #expect(ContentRange(parsing: value) == nil)
    }

    @Test func `has a limit that heads before it count to`() {
        var head = ResponseHead()
        let line = Array("HTTP/1.1 100 Continue".utf8)
        let takenCount = (0..<10_000).count { _ in head.receive(line: line) }
        #expect((1..<10_000).contains(takenCount))
    }

    @Test(arguments: ["-5", "+5", "5x", "", "99999999999999999999"])
    func `has no length where the field is no number`(value: String) {
        var head = ResponseHead()
        _ = head.receive(line: Array("content-length: \(value)".utf8))
        #expect(head.contentLength == nil)
    }

    @Test func `has a limit`() {
        var head = ResponseHead()
        let line = Array("x: \(String(repeating: "y", count: 1_000))".utf8)
        for _ in 0..<69 { _ = head.receive(line: line) }
        let isTaken = head.receive(line: line)
        #expect(!isTaken)
    }

    @Test func `has one limit for all heads that go before the answer proper`() {
        var head = ResponseHead()
        let lines = ["HTTP/1.1 100 Continue\r\n", "x: \(String(repeating: "y", count: 1_000))\r\n", "\r\n"].map {
            Array($0.utf8)
        }
        let areTaken = (0..<70).map { _ in lines.allSatisfy { head.receive(line: $0) } }
        #expect(areTaken.first == true && areTaken.last == false)
    }
}
