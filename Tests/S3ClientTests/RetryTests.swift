import ObjectStore
import SystemSupport
import Testing

@testable import S3Client

/// Always the highest number, for the longest wait that jitter may choose.
private struct Highest: RandomNumberGenerator {
    func next() -> UInt64 { .max }
}

private let object = ObjectVersion(key: "k", etag: ETag("\"e\""), byteCount: 10)

private func head(_ status: Int, _ fields: [String]) -> ResponseHead {
    var head = ResponseHead()
    for line in ["HTTP/1.1 \(status) X", "ETag: \"e\""] + fields { _ = head.receive(line: Array("\(line)\r\n".utf8)) }
    return head
}

private func attempt(hedgeReason: HedgeReason? = nil) -> Attempt {
    Attempt(
        transfer: Transfer(configuration: S3Configuration(bucket: "b"), meter: RequestMeter()),
        request: ClientContext.SignedRequest(
            url: "", headers: [], route: Route(proxy: nil, host: nil, addresses: []), server: "s", region: "r",
            credentials: nil, isUnverified: false), hedgeReason: hedgeReason)
}

@Suite struct `Backing off` {
    @Test func `the backoff doubles up to a maximum, and starts again after progress`() {
        var backoff = Backoff()
        var highest = Highest()
        let waits = (0..<9).map { _ in backoff.next(isThrottled: true, using: &highest) }
        for (wait, milliseconds) in zip(waits, [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]) {
            #expect(abs(wait / .milliseconds(milliseconds) - 1) < 0.001)
        }
        backoff.reset()
        #expect(backoff.next(isThrottled: true, using: &highest) <= Backoff.base)
    }

    @Test func `only the first retry after a failure other than throttling has no backoff`() {
        var backoff = Backoff()
        var highest = Highest()
        let waits = (0..<3).map { _ in backoff.next(isThrottled: false, using: &highest) / .milliseconds(1) }
        #expect(waits.map { Int($0.rounded()) } == [0, 100, 200])
    }
}

@Suite struct `A request` {
    private let start = RunningClock.now
    private let fault = AttemptFailure(StoreError(.serverFault, "fault"), remedy: .backOff)

    private func pendingRequest(seconds: Int) -> PendingRequest {
        let operation = GetOperation(
            RangeRequest(object: object, range: 0..<10), bucket: "b", receiver: RangeCollector())
        return PendingRequest(id: 1, operation: operation, deadline: start + .seconds(seconds))
    }

    @Test func `a request is retried while it has time`() {
        var highest = Highest()
        let pending = pendingRequest(seconds: 1)
        pending.begin(attempt(), now: start)
        guard case .retry = pending.decide(after: fault, now: start, using: &highest) else {
            Issue.record("no retry")
            return
        }
        let late = pending.decide(after: fault, now: start + .milliseconds(900), using: &highest)
        guard case .end(let error) = late else {
            Issue.record("a retry beyond the deadline")
            return
        }
        #expect(error.code == .serverFault)
        #expect(error.message.contains("given up after 1 attempt"))
    }

    @Test func `a request without an address ends with the error of the lookup`() {
        var highest = Highest()
        let pending = pendingRequest(seconds: 1)
        pending.wait(until: start + .milliseconds(10), for: StoreError(.unreachable, "no name server answers"))
        #expect(pending.nextInstant == start + .milliseconds(10))
        #expect(pending.giveUp() == StoreError(.unreachable, "no name server answers"))
        let failure = AttemptFailure(StoreError(.unreachable, "there is no host"), remedy: .backOff)
        let late = pending.decide(after: failure, now: start + .seconds(1), using: &highest)
        #expect(late == .end(failure.error))
    }

    @Test func `a request continues after a broken connection, with at least a second`() {
        let pending = pendingRequest(seconds: 60)
        let attempt = attempt()
        attempt.transfer.progress = Progress(now: start)
        pending.begin(attempt, now: start)
        let end = start + .seconds(20)
        pending.noteBreak(now: end)
        #expect(pending.stalledAttempts(now: end + .milliseconds(900)) == nil)
        #expect(pending.stalledAttempts(now: end + .seconds(1))?.count == 1)
        attempt.transfer.progress.receive(100, now: end + .milliseconds(1_100))
        #expect(pending.stalledAttempts(now: end + .milliseconds(2_500))?.isEmpty == true)
    }

    @Test func `a request has more time while bytes arrive, but not for a few`() throws {
        let large = ObjectVersion(key: "k", etag: ETag("\"e\""), byteCount: 1 << 20)
        let operation = GetOperation(
            RangeRequest(object: large, range: 0..<1 << 20), bucket: "b", receiver: RangeCollector())
        let pending = PendingRequest(id: 1, operation: operation, deadline: start + .seconds(10), now: start)
        #expect(
            pending.extendDeadline(now: start + .seconds(10), answeredAt: start + .seconds(9)),
            "it waits for a connection, and others get bytes")
        #expect(pending.deadline == start + .seconds(19))
        let attempt = attempt()
        pending.begin(attempt, now: start + .seconds(10))
        #expect(
            !pending.extendDeadline(now: start + .seconds(19), answeredAt: start + .seconds(18)), "nothing has come")
        let bytes = [UInt8](repeating: 0, count: 65_536)
        attempt.transfer.progress.receive(bytes.count, now: start + .seconds(15))
        try operation.receive(bytes.span.bytes, at: 0)
        #expect(pending.stalledAttempts(now: start + .seconds(15))?.isEmpty == true)
        #expect(pending.extendDeadline(now: start + .seconds(19), answeredAt: nil))
        #expect(pending.deadline == start + .seconds(25), "as long as at first, from the last bytes on")
        let few = Array(bytes[..<60])
        try operation.receive(few.span.bytes, at: bytes.count)
        #expect(!pending.extendDeadline(now: start + .seconds(25), answeredAt: nil), "60 bytes in ten seconds")
    }

    @Test func `a request does not wait forever for a connection to a silent store`() {
        let pending = pendingRequest(seconds: 10)
        #expect(!pending.extendDeadline(now: start + .seconds(10), answeredAt: nil))
        #expect(!pending.extendDeadline(now: start + .seconds(10), answeredAt: start - .seconds(1)))
    }

    @Test func `an attempt is abandoned after five seconds of silence, and the next one after ten`() {
        let pending = pendingRequest(seconds: 60)
        for limit in [5, 10, 20, 20] {
            let attempt = attempt()
            attempt.transfer.progress = Progress(now: start)
            pending.begin(attempt, now: start)
            #expect(pending.stalledAttempts(now: start + .seconds(limit - 1))?.isEmpty == true)
            #expect(pending.stalledAttempts(now: start + .seconds(limit))?.count == 1)
            #expect(pending.noteStall(of: attempt).error.message.contains(" \(limit) seconds"))
            // The second of two attempts failed in the same way: they count as one.
            #expect(pending.noteStall(of: attempt).error.message.contains(" \(limit) seconds"))
        }
    }

    @Test func `a request with all of its bytes needs no hedge`() throws {
        let pending = pendingRequest(seconds: 60)
        pending.begin(attempt(), now: start)
        try pending.operation.receive([UInt8](repeating: 0, count: 10).span.bytes, at: 0)
        #expect(!pending.needsHedge(Hedging(), now: start + .seconds(2)))
        #expect(pending.nextInstant == start + .seconds(1), "when it is looked at for silence")
    }

    @Test func `the attempt after a silent one uses another connection`() {
        var highest = Highest()
        let pending = pendingRequest(seconds: 60)
        let attempt = attempt()
        pending.begin(attempt, now: start)
        #expect(!pending.needsNewConnection)
        _ = pending.decide(after: pending.noteStall(of: attempt), now: start, using: &highest)
        #expect(pending.needsNewConnection)
    }

    @Test func `a request waits for the time of Retry-After`() {
        var highest = Highest()
        var failure = AttemptFailure(StoreError(.throttled, "slow down"), remedy: .backOff)
        failure.retryAfter = .seconds(7)
        #expect(
            pendingRequest(seconds: 60).decide(after: failure, now: start, using: &highest)
                == .retry(after: .seconds(7)))
    }

    @Test func `a request ends at once where no remedy exists`() {
        var highest = Highest()
        let denied = AttemptFailure(StoreError(.accessDenied, "no"))
        #expect(pendingRequest(seconds: 60).decide(after: denied, now: start, using: &highest) == .end(denied.error))
    }

    @Test func `a request is not redirected between regions forever`() {
        var highest = Highest()
        let pending = pendingRequest(seconds: 60)
        let elsewhere = AttemptFailure(StoreError(.wrongRegion, "there"), remedy: .useRegion("r"))
        let decisions = (0..<4).map { _ in pending.decide(after: elsewhere, now: start, using: &highest) }
        #expect(decisions.first == .retry(after: .zero))
        #expect(decisions.last == .end(elsewhere.error))
    }

    @Test func `a request continues with the attempt that leads`() {
        let pending = pendingRequest(seconds: 60)
        let first = attempt()
        let second = attempt(hedgeReason: .slow)
        for attempt in [first, second] { attempt.transfer.progress = Progress(now: start) }
        pending.begin(first, now: start)
        let late = start + LatencyEstimate.firstHedgeDelay
        #expect(!pending.needsHedge(Hedging(), now: start) && pending.needsHedge(Hedging(), now: late))
        #expect(!pending.needsHedge(Hedging(), now: late), "that is known")
        #expect(pending.takeHedgeReason(Hedging(), now: late) == .stalled)
        pending.beginHedge(second, now: late)
        #expect(pending.attemptCount == 1, "the two count as one")
        #expect(pending.overtaken == nil && pending.admits(first.transfer) && pending.admits(second.transfer))
        pending.lead(second.transfer)
        #expect(pending.overtaken?.transfer === first.transfer)
        #expect(!pending.admits(first.transfer) && pending.admits(second.transfer))
        let isLeft = pending.leave(first, now: start + .milliseconds(30))
        #expect(isLeft && !pending.isHedged && pending.overtaken == nil)
        let isLeftAgain = pending.leave(second, now: start + .milliseconds(30))
        #expect(!isLeftAgain, "the last attempt's end is the request's business")
    }

    @Test(arguments: [true, false])
    func `a request takes bytes of the first of two attempts, and none of the other`(isSecondFaster: Bool) {
        let collector = RangeCollector()
        let operation = GetOperation(RangeRequest(object: object, range: 0..<10), bucket: "b", receiver: collector)
        let pending = PendingRequest(id: 1, operation: operation, deadline: start + .seconds(60))
        let (first, second) = (attempt(), attempt(hedgeReason: .slow))
        first.transfer.prepare(pending, first.request, connectionAge: .seconds(300), now: start)
        pending.begin(first, now: start)
        second.transfer.prepare(pending, second.request, connectionAge: .seconds(300), now: start)
        pending.beginHedge(second, now: start + .milliseconds(20))
        for attempt in [first, second] { answer(attempt, from: 0) }
        let (winner, loser) = isSecondFaster ? (second, first) : (first, second)
        #expect(bring([0, 1], by: winner) == 2)
        #expect(bring([0, 1, 2], by: loser) == -1)
        #expect(bring([2], by: winner) == 1)
        #expect(pending.overtaken?.transfer === loser.transfer)
        #expect(collector.bytes == [0, 1, 2])
        // They reference each other until the end.
        for attempt in [first, second] { attempt.transfer.clear() }
    }

    @Test func `a request takes bytes of a slow attempt until its hedge overtakes it, and none twice`() {
        let collector = RangeCollector()
        let operation = GetOperation(RangeRequest(object: object, range: 0..<10), bucket: "b", receiver: collector)
        let pending = PendingRequest(id: 1, operation: operation, deadline: start + .seconds(60))
        let (slow, hedge) = (attempt(), attempt(hedgeReason: .slow))
        slow.transfer.prepare(pending, slow.request, connectionAge: .seconds(300), now: start)
        pending.begin(slow, now: start)
        answer(slow, from: 0)
        #expect(bring([0, 1], by: slow) == 2)

        hedge.transfer.prepare(pending, hedge.request, connectionAge: .seconds(300), now: start)
        pending.beginHedge(hedge, now: start)
        #expect(bring([2], by: slow) == 1)
        answer(hedge, from: 2)
        #expect(bring([3, 4], by: slow) == 2)
        #expect(bring([2, 3], by: hedge) == 2)
        #expect(pending.overtaken == nil, "it has brought nothing new")
        #expect(bring([5], by: slow) == 1)
        #expect(bring([4, 5, 6], by: hedge) == 3)
        #expect(pending.overtaken?.transfer === slow.transfer)
        #expect(bring([6], by: slow) == -1)
        #expect(bring([7, 8, 9], by: hedge) == 3)
        #expect(collector.bytes == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
        for attempt in [slow, hedge] { attempt.transfer.clear() }
    }

    /// The head of a valid response, as curl provides it.
    private func answer(_ attempt: Attempt, from offset: Int) {
        for line in ["HTTP/1.1 206 X", "ETag: \"e\"", "Content-Range: bytes \(offset)-9/10"] {
            Array(line.utf8).withUnsafeBytes { _ = attempt.transfer.receiveHead($0) }
        }
    }

    private func bring(_ bytes: [UInt8], by attempt: Attempt) -> Int {
        bytes.withUnsafeBytes { attempt.transfer.receiveBody($0) }
    }

    @Test func `a request without a response reports what it waited for`() {
        #expect(pendingRequest(seconds: 1).giveUp().code == .timedOut)
    }
}

@Suite struct `A ranged GET` {
    private let address = BucketAddress(bucket: "b", region: "us-east-1", endpoint: nil, style: .auto)
    private let bytes: [UInt8] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

    private func operation(_ range: Range<Int> = 0..<10, _ collector: RangeCollector = RangeCollector()) -> GetOperation
    {
        GetOperation(RangeRequest(object: object, range: range), bucket: "b", receiver: collector)
    }

    @Test func `a GET continues where it was interrupted`() throws {
        let collector = RangeCollector()
        let operation = operation(0..<10, collector)
        try operation.begin(head(206, ["Content-Range: bytes 0-9/10", "Content-Length: 10"]), at: 0)
        try operation.receive(Array(bytes[..<4]).span.bytes, at: 0)
        #expect(throws: AttemptFailure.self) { try operation.complete() }
        let request = operation.request(at: address)
        #expect(request.headers == [HTTPHeader("Range", "bytes=4-9"), HTTPHeader("If-Match", "\"e\"")])
        try operation.begin(head(206, ["Content-Range: bytes 4-9/10", "ETag: \"e\""]), at: operation.requestOffset)
        try operation.receive(Array(bytes[4...]).span.bytes, at: 4)
        try operation.complete()
        operation.finish(nil)
        #expect(collector.bytes == bytes)
        #expect(collector.endCount == 1)
    }

    @Test(
        arguments: [
            (206, ["Content-Range: bytes 0-9/11"], .changed),
            (206, ["Content-Range: bytes 1-9/10"], .malformedResponse),
            (206, ["Content-Range: bytes 0-8/10"], .malformedResponse), (206, [], .malformedResponse),
            (206, ["Content-Range: bytes 0-9/10", "Content-Length: 9"], .malformedResponse),
            (206, ["Content-Range: bytes 0-9/10", "ETag: \"f\""], .changed),
            (200, ["Content-Length: 11"], .malformedResponse),
        ] as [(Int, [String], StoreError.Code)])
    func `a GET refuses a response to another request`(status: Int, fields: [String], code: StoreError.Code) {
        let failure = #expect(throws: AttemptFailure.self) { try operation().begin(head(status, fields), at: 0) }
        #expect(failure?.error.code == code)
    }

    @Test func `a GET accepts the whole object only if it has requested it`() throws {
        try operation().begin(head(200, ["Content-Length: 10"]), at: 0)
        #expect(throws: AttemptFailure.self) { try operation(0..<5).begin(head(200, ["Content-Length: 10"]), at: 0) }
    }

    @Test func `a GET passes on no byte beyond its range`() throws {
        let collector = RangeCollector()
        let operation = operation(0..<5, collector)
        try operation.begin(head(206, ["Content-Range: bytes 0-4/10"]), at: 0)
        #expect(throws: AttemptFailure.self) { try operation.receive(bytes.span.bytes, at: 0) }
        #expect(collector.bytes.isEmpty)
    }
}
