internal import CCurl
import ObjectStore
import SystemSupport

/// A curl easy handle, which carries one attempt after the other, and passes the response from curl's callbacks to the
/// operation.
///
/// Used only by its network thread.
final class Transfer {
    let easy: UnsafeMutableRawPointer
    private let errorText: UnsafeMutableBufferPointer<CChar>
    private let meter: RequestMeter
    private var headers: UnsafeMutablePointer<curl_slist>?
    /// The list for CURLOPT_RESOLVE, which curl reads when the transfer begins.
    private var addresses: UnsafeMutablePointer<curl_slist>?
    /// The request of this attempt, whose operation gets the bytes.
    private var pending: PendingRequest?
    private(set) var startInstant = RunningClock.now
    /// The offset of the next byte of the body (`Operation.requestOffset`).
    private var bodyOffset = 0
    /// The progress of the attempt.
    var progress = Progress(now: .now)
    private var firstBytesInstant: RunningClock.Instant?
    private(set) var head = ResponseHead()
    private(set) var errorBody: [UInt8] = []
    private var body = Body.undecided
    private let didReceive: (@Sendable () -> Void)?
    private let isAWS: Bool

    /// The kind of the response body.
    private enum Body {
        case undecided
        case wanted
        case error
        case rejected(AttemptFailure)
    }

    /// The maximum size of an error body; S3's error documents have less than 2 KiB.
    private static let errorBodyByteLimit = 64 * 1_024

    /// Creates a transfer for one attempt after the other.
    ///
    /// - Parameters:
    ///   - meter: The counters of responses.
    ///   - didReceive: Called for each part of a body.
    init(configuration: S3Configuration, meter: RequestMeter, didReceive: (@Sendable () -> Void)? = nil) {
        self.didReceive = didReceive
        isAWS = configuration.endpoint == nil
        guard let easy = curl_easy_init() else { preconditionFailure("out of memory") }
        self.easy = easy
        self.meter = meter
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0)
        setLimits()
        setCallbacks()
        _ = tractfs_easy_set_string(easy, CURLOPT_USERAGENT, configuration.userAgent)
        SystemCertificates.trust(configuration.caBundle, in: easy)
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headers)
        curl_slist_free_all(addresses)
        errorText.deallocate()
    }

    private func setLimits() {
        let options: [(CURLoption, Int)] = [
            (CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1),
            // Keys may contain "..", which curl would otherwise resolve.
            (CURLOPT_PATH_AS_IS, 1),
            // No SIGALRM, since the process has several threads.
            (CURLOPT_NOSIGNAL, 1),
            (CURLOPT_FOLLOWLOCATION, 0),
            // The body of a proxy's response to CONNECT is not that of the store.
            (CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            // Measured on loopback: 64 KiB takes a third more system time per GiB, 512 KiB no less.
            (CURLOPT_BUFFERSIZE, 256 * 1_024),
            // For the connection and TLS. Less than the maximum silence (`PendingRequest.silenceLimit`): the two can be
            // distinguished. If the name has several addresses, each has half of the remaining time.
            (CURLOPT_CONNECTTIMEOUT_MS, 4_000),
            (CURLOPT_TCP_KEEPALIVE, 1),
            (CURLOPT_TCP_KEEPIDLE, 30),
            (CURLOPT_TCP_KEEPINTVL, 10),
            // A middlebox may have silently forgotten connections that were idle for longer.
            (CURLOPT_MAXAGE_CONN, 30),
            // S3's name has many addresses, and each connection uses a random one: curl shuffles them for each
            // transfer.
            (CURLOPT_DNS_SHUFFLE_ADDRESSES, 1),
            (CURLOPT_DNS_CACHE_TIMEOUT, 0),
        ]
        for (option, value) in options {
            let code = tractfs_easy_set_long(easy, option, value)
            precondition(code == CURLE_OK, "libcurl doesn't know option \(option.rawValue)")
        }
        tractfs_easy_set_quick_exit(easy)
    }

    private func setCallbacks() {
        // The handle does not outlive this object, and curl calls back only while the network thread drives it.
        let this = Unmanaged.passUnretained(self).toOpaque()
        _ = tractfs_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText.baseAddress)
        _ = tractfs_easy_set_pointer(easy, CURLOPT_HEADERDATA, this)
        _ = tractfs_easy_set_pointer(easy, CURLOPT_WRITEDATA, this)
        _ = tractfs_easy_set_callback(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, transfer in
            Transfer.from(transfer).receiveHead(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = tractfs_easy_set_callback(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, transfer in
            Transfer.from(transfer).receiveBody(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
    }

    private static func from(_ userData: UnsafeMutableRawPointer?) -> Transfer {
        guard let userData else { preconditionFailure("curl lost the transfer") }
        return Unmanaged<Transfer>.fromOpaque(userData).takeUnretainedValue()
    }

    /// Prepares the handle for an attempt that starts `now`, on a new connection if the request needs one.
    ///
    /// - Parameter connectionAge: The age from which connections are not used.
    func prepare(
        _ pending: PendingRequest, _ request: ClientContext.SignedRequest, connectionAge: Duration,
        now: RunningClock.Instant
    ) {
        self.pending = pending
        startInstant = now
        bodyOffset = pending.operation.requestOffset
        progress = Progress(now: now)
        firstBytesInstant = nil
        head = ResponseHead()
        errorBody = []
        body = .undecided
        errorText[0] = 0
        curl_slist_free_all(self.headers)
        self.headers = nil
        for header in request.headers + [HTTPHeader("Accept-Encoding", pending.operation.acceptedEncoding)] {
            self.headers = curl_slist_append(self.headers, "\(header.name): \(header.value)")
        }
        _ = tractfs_easy_set_list(easy, CURLOPT_HTTPHEADER, self.headers)
        // Resetting CURLOPT_NOBODY does not make the next request a GET in every version of curl.
        if request.method == "HEAD" {
            _ = tractfs_easy_set_long(easy, CURLOPT_NOBODY, 1)
        } else {
            _ = tractfs_easy_set_long(easy, CURLOPT_HTTPGET, 1)
        }
        _ = tractfs_easy_set_string(easy, CURLOPT_URL, request.url)
        setRoute(request.route)
        _ = tractfs_easy_set_long(easy, CURLOPT_MAXLIFETIME_CONN, Int(connectionAge / .seconds(1)))
        _ = tractfs_easy_set_long(easy, CURLOPT_FRESH_CONNECT, pending.needsNewConnection ? 1 : 0)
    }

    private func setRoute(_ route: Route) {
        let former = addresses
        addresses = route.addresses.reduce(nil) { list, entry in curl_slist_append(list, entry) }
        easy.setRoute(route, addresses: addresses)
        curl_slist_free_all(former)
    }

    /// Returns the time until the first bytes of the body, or the time so far if none have been received.
    func timeToFirstBytes(now: RunningClock.Instant) -> Duration {
        (firstBytesInstant ?? now) - startInstant
    }

    /// Returns the time since the first bytes of the body.
    func bodyTime(now: RunningClock.Instant) -> Duration {
        now - (firstBytesInstant ?? now)
    }

    /// `true` if no byte of the request was sent.
    var isUnsent: Bool { tractfs_easy_get_long(easy, CURLINFO_REQUEST_SIZE) == 0 }

    /// Counts an attempt at its end, before the handle is removed from curl.
    func count(for operation: any Operation) {
        let isUnsent = isUnsent
        // Errors do not count, since they are faster.
        let time = if case .wanted = body { firstBytesInstant.map { $0 - startInstant } } else { Duration?.none }
        guard isUnsent || time != nil else { return }
        meter.note(operation) { counts in
            if isUnsent { counts.unsentCount += 1 }
            if let time { counts.latency.record(time) }
        }
    }

    /// Releases the request.
    func clear() {
        pending = nil
        errorBody = []
    }

    /// Concludes an attempt that has ended with `result`.
    func conclude(_ result: CURLcode, server: String, now: Timestamp) throws(AttemptFailure) {
        guard let operation = pending?.operation else { preconditionFailure("a transfer without a request ended") }
        if case .rejected(let failure) = body { throw failure }
        guard result == CURLE_OK || isErrorCutShort(result) else {
            let detail = errorText.baseAddress.map { String(cString: $0) } ?? ""
            let status = tractfs_easy_get_long(easy, CURLINFO_HTTP_CONNECTCODE)
            throw AttemptFailure(result: result, detail: detail, connectStatus: status, server: server)
        }
        if case .undecided = body { try decide() }
        if case .error = body {
            throw operation.remedy(
                for: AttemptFailure(
                    head: head, body: errorBody, subject: operation.subject, isListing: operation.kind == .list,
                    isAWS: isAWS, now: now))
        }
        try operation.complete()
    }

    /// The status is enough if the error's body was too long or incomplete.
    private func isErrorCutShort(_ result: CURLcode) -> Bool {
        guard case .error = body else { return false }
        return result == CURLE_WRITE_ERROR || result == CURLE_PARTIAL_FILE
    }

    private func decide() throws(AttemptFailure) {
        guard head.status == 200 || head.status == 206, let operation = pending?.operation else {
            body = .error
            return
        }
        body = .wanted
        try operation.begin(head, at: bodyOffset)
    }

    /// Handles a line of the head.
    ///
    /// - Returns: The number of bytes handled; curl ends the transfer if that is not all.
    func receiveHead(_ line: UnsafeRawBufferPointer) -> Int {
        progress.receive(line.count, now: .now)
        if head.receive(line: line) { return line.count }
        body = .rejected(AttemptFailure(StoreError(.malformedResponse, "the store's answer has too long a head")))
        return -1
    }

    /// Handles the next bytes of the body, unless another attempt has overtaken this one.
    ///
    /// - Returns: Like `receiveHead`.
    func receiveBody(_ bytes: UnsafeRawBufferPointer) -> Int {
        guard let pending else { return -1 }
        meter.noteReceived(bytes.count, for: pending.operation)
        guard pending.admits(self) else { return -1 }
        progress.receive(bytes.count, now: .now)
        didReceive?()
        do throws(AttemptFailure) {
            if case .undecided = body {
                try decide()
                firstBytesInstant = .now
            }
            if case .error = body {
                errorBody += bytes.prefix(Self.errorBodyByteLimit - errorBody.count)
                return errorBody.count < Self.errorBodyByteLimit ? bytes.count : -1
            }
            // A listing is parsed from the newest attempt; the bytes of an object are the same in both.
            let isNew = bodyOffset + bytes.count > pending.operation.receivedByteCount
            // A response that is held needs all of its own bytes.
            if isNew || pending.operation.kind == .list || !pending.operation.isHedgeable { pending.lead(self) }
            try pending.operation.receive(bytes.bytes, at: bodyOffset)
            bodyOffset += bytes.count
            return bytes.count
        } catch {
            body = .rejected(error)
            return -1
        }
    }
}
