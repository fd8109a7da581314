internal import CCurl
import Glibc
import ObjectStore
import SystemSupport

/// A connection to a service that issues credentials, or to the endpoint that is probed: for rare, small requests, one
/// at a time, on a thread that may block.
///
/// It shares nothing with the transfers of objects, so a slow service delays no read.
struct ServiceConnection {
    /// The timeout for connecting.
    var connectLimit: Duration = .seconds(3)
    /// The timeout of a request once the address is known.
    var limit: Duration = .seconds(10)
    /// The timeout for the address lookup: three name servers, each with two attempts of 5 s (resolv.conf(5)).
    var nameLimit: Duration = .seconds(30)
    /// The maximum number of attempts for a request that gets no response, or that the service is too busy for.
    var attemptLimit = 3
    /// The proxies to use. Services of the machine or the container itself have none.
    var proxies = ProxySettings.none
    /// A file of PEM certificates to trust instead of the system's.
    var caBundle: String?

    /// A response of a service.
    struct Answer {
        let status: Int
        let body: [UInt8]
        /// The time by the service's clock.
        let date: Timestamp?
    }

    /// The failure of a request without a response.
    struct Failure: Error {
        /// `true` if a connection was made, but no response arrived in time.
        let isResponseTimeout: Bool
        /// The message, such as "can't connect to http://…: Connection refused".
        let description: String
    }

    /// Sends a request, and retries where that may help.
    func send(_ request: HTTPRequest, to endpoint: S3Endpoint) throws(Failure) -> Answer {
        var attemptCount = 1
        while true {
            do throws(Failure) {
                let answer = try sendOnce(request, to: endpoint)
                if (answer.status < 500 && answer.status != 429) || attemptCount == attemptLimit { return answer }
            } catch {
                if attemptCount == attemptLimit { throw error }
            }
            usleep(useconds_t(100_000 << attemptCount))
            attemptCount += 1
        }
    }

    private func sendOnce(_ request: HTTPRequest, to endpoint: S3Endpoint) throws(Failure) -> Answer {
        var attempt = attempt(request, to: endpoint)
        guard attempt.hasAnswer else {
            // curl's message contains durations, which differ each time.
            attempt.detail = ""
            throw Failure(
                isResponseTimeout: attempt.result == CURLE_OPERATION_TIMEDOUT && attempt.times.connected != nil,
                description: attempt.failure(at: endpoint).error.message)
        }
        return Answer(
            status: attempt.head.status, body: attempt.body,
            date: attempt.head.date.flatMap(Timestamp.init(httpDate:)))
    }

    /// The result of one attempt of a request.
    struct Attempt {
        let result: CURLcode
        /// curl's message for a failure, which contains host names and file names but no secrets.
        var detail = ""
        /// The failure of an attempt that has no address.
        var unresolved: AttemptFailure?
        /// The status of a proxy's response to CONNECT; 0 without one.
        var connectStatus = 0
        var head = ResponseHead()
        var body: [UInt8] = []
        var times = Times()
        /// The peer of the connection, which may be a proxy: "127.0.0.1 port 9000".
        var peer: String?
        /// The proxy of the request; `nil` for a direct connection.
        var proxy: Proxy?
        /// `true` if a response was received, completely or up to the limit.
        var hasAnswer = false

        /// Returns the failure of an attempt without a response.
        func failure(at endpoint: S3Endpoint) -> AttemptFailure {
            let note = proxy.map { " (through the proxy \($0))" } ?? ""
            return unresolved
                ?? AttemptFailure(
                    result: result, detail: detail, connectStatus: connectStatus, server: endpoint.description + note)
        }
    }

    /// The time from the start to the end of each step; `nil` for steps that were not reached.
    struct Times {
        var resolved: Duration?
        var connected: Duration?
        /// Set only for TLS.
        var encrypted: Duration?
        var ended: Duration?

        fileprivate init() {}

        /// Creates the times of the transfer of a curl handle.
        ///
        /// - Parameter lookup: The duration of the address lookup, before curl started.
        fileprivate init(of easy: UnsafeMutableRawPointer, lookup: Duration) {
            func time(_ info: CURLINFO) -> Duration? {
                let microseconds = tractfs_easy_get_offset(easy, info)
                return microseconds > 0 ? lookup + .microseconds(microseconds) : nil
            }
            resolved = time(CURLINFO_NAMELOOKUP_TIME_T)
            connected = time(CURLINFO_CONNECT_TIME_T)
            encrypted = time(CURLINFO_APPCONNECT_TIME_T)
            ended = time(CURLINFO_TOTAL_TIME_T)
        }
    }

    /// Sends a request once.
    func attempt(_ request: HTTPRequest, to endpoint: S3Endpoint) -> Attempt {
        CurlLibrary.initialize()
        let start = ContinuousClock.now
        let route: Route
        switch waitForRoute(to: endpoint) {
        case .success(let found): route = found
        case .failure(let failure):
            return Attempt(
                result: CURLE_COULDNT_RESOLVE_HOST, unresolved: failure, proxy: proxies.proxy(for: endpoint))
        }
        let lookup = ContinuousClock.now - start
        guard let easy = curl_easy_init() else { preconditionFailure("out of memory") }
        defer { curl_easy_cleanup(easy) }
        let inbox = Inbox()
        let headers = list(of: request.headers)
        defer { curl_slist_free_all(headers) }
        setOptions(of: easy, inbox: inbox)
        let addresses = route.addresses.reduce(nil) { list, entry in curl_slist_append(list, entry) }
        defer { curl_slist_free_all(addresses) }
        easy.setRoute(route, addresses: addresses)
        _ = tractfs_easy_set_list(easy, CURLOPT_HTTPHEADER, headers)
        let query = request.canonicalQuery
        let url = "\(endpoint)\(request.path)\(query.isEmpty ? "" : "?")\(query)"
        _ = tractfs_easy_set_string(easy, CURLOPT_URL, url)
        let (result, detail) = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CURL_ERROR_SIZE)) { text in
            text.initialize(repeating: 0)
            _ = tractfs_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, text.baseAddress)
            defer { _ = tractfs_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, nil) }
            let result = perform(easy, request)
            return (result, text.baseAddress.map { String(cString: $0) } ?? "")
        }
        // If the response exceeds the limit, the bytes received so far are enough to see that.
        let hasAnswer = result == CURLE_OK || inbox.isFull
        return Attempt(
            result: result, detail: detail, connectStatus: tractfs_easy_get_long(easy, CURLINFO_HTTP_CONNECTCODE),
            head: inbox.head, body: inbox.body, times: Times(of: easy, lookup: lookup), peer: peer(of: easy),
            proxy: route.proxy, hasAnswer: hasAnswer)
    }

    /// Waits until the route to the service is known.
    private func waitForRoute(to endpoint: S3Endpoint) -> Result<Route, AttemptFailure> {
        let router = Router(proxies: proxies)
        let deadline = RunningClock.now + nameLimit
        while true {
            switch router.route(to: endpoint) {
            case .ready(let route): return .success(route)
            case .failed(let failure): return .failure(failure)
            case .pending(let error):
                if RunningClock.now >= deadline { return .failure(AttemptFailure(error)) }
                usleep(5_000)
            }
        }
    }

    private func peer(of easy: UnsafeMutableRawPointer) -> String? {
        guard let address = tractfs_easy_get_string(easy, CURLINFO_PRIMARY_IP), address.pointee != 0 else { return nil }
        return "\(String(cString: address)) port \(tractfs_easy_get_long(easy, CURLINFO_PRIMARY_PORT))"
    }

    private func perform(_ easy: UnsafeMutableRawPointer, _ request: HTTPRequest) -> CURLcode {
        if request.method == "GET" { return curl_easy_perform(easy) }
        return request.body.withUnsafeBytes { body in
            _ = tractfs_easy_set_long(easy, CURLOPT_POST, 1)
            _ = tractfs_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
            _ = tractfs_easy_set_long(easy, CURLOPT_POSTFIELDSIZE, body.count)
            // With a null pointer, curl would read the body from standard input.
            return withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { nothing in
                let start = body.baseAddress ?? UnsafeRawPointer(nothing.baseAddress)
                _ = tractfs_easy_set_pointer(easy, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: start))
                return curl_easy_perform(easy)
            }
        }
    }

    private func list(of headers: [HTTPHeader]) -> UnsafeMutablePointer<curl_slist>? {
        // Some services never respond to "Expect", so it is not sent.
        (headers + [HTTPHeader("Expect", "")]).reduce(nil) { list, header in
            curl_slist_append(list, "\(header.name):\(header.value.isEmpty ? "" : " ")\(header.value)")
        }
    }

    private func setOptions(of easy: UnsafeMutableRawPointer, inbox: Inbox) {
        let options: [(CURLoption, Int)] = [
            (CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1), (CURLOPT_NOSIGNAL, 1), (CURLOPT_FOLLOWLOCATION, 0),
            (CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            (CURLOPT_CONNECTTIMEOUT_MS, Int(connectLimit / .milliseconds(1))),
            (CURLOPT_TIMEOUT_MS, Int(limit / .milliseconds(1))),
        ]
        for (option, value) in options { _ = tractfs_easy_set_long(easy, option, value) }
        tractfs_easy_set_quick_exit(easy)
        SystemCertificates.trust(caBundle, in: easy)
        // The inbox outlives the transfer, which ends before `sendOnce` does.
        let data = Unmanaged.passUnretained(inbox).toOpaque()
        _ = tractfs_easy_set_pointer(easy, CURLOPT_HEADERDATA, data)
        _ = tractfs_easy_set_pointer(easy, CURLOPT_WRITEDATA, data)
        _ = tractfs_easy_set_callback(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, data in
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Inbox.from(data).head.receive(line: line) ? line.count : -1
        }
        _ = tractfs_easy_set_callback(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, data in
            Inbox.from(data).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
    }

    /// The part of a response that was received.
    private final class Inbox {
        /// Responses have one or two kilobytes.
        private static let byteLimit = 256 * 1_024

        var head = ResponseHead()
        private(set) var body: [UInt8] = []

        var isFull: Bool { body.count == Self.byteLimit }

        static func from(_ data: UnsafeMutableRawPointer?) -> Inbox {
            guard let data else { preconditionFailure("curl lost the answer") }
            return Unmanaged<Inbox>.fromOpaque(data).takeUnretainedValue()
        }

        func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
            body += bytes.prefix(Self.byteLimit - body.count)
            return isFull ? -1 : bytes.count
        }
    }
}
