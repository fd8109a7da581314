internal import CCurl
import Glibc
import ObjectStore

/// Asks services that hand out credentials, and a store how far one gets with it: rare, small requests, one at a time, on a
/// thread that may wait.
///
/// Nothing here is shared with the transfers of objects, so a service that is slow delays no read.
struct ServiceConnection {
    /// How long it may take to connect.
    var connectLimit: Duration = .seconds(3)
    /// How long a request may take, all in all.
    var limit: Duration = .seconds(10)
    /// How often a request is sent that gets no answer, or that the service was too busy for.
    var attemptLimit = 3
    /// Whether `https_proxy` and the like count. They don't for services of the machine or the container itself.
    var usesProxy = true
    /// A file of PEM certificates to trust instead of the system's.
    var caBundle: String?

    /// What a service answered.
    struct Answer {
        let status: Int
        let body: [UInt8]
        /// What time it is, as the service says.
        let date: Timestamp?
    }

    /// There was no answer.
    struct Failure: Error {
        /// Whether there was a connection, over which nothing came.
        let isSilence: Bool
        /// What happened, for a person: "can't connect to http://…: Connection refused".
        let description: String
    }

    /// Sends a request, again where that may help.
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
        let attempt = attempt(request, to: endpoint)
        guard attempt.hasAnswer else {
            throw Failure(
                isSilence: attempt.result == CURLE_OPERATION_TIMEDOUT && attempt.times.connected != nil,
                description: AttemptFailure(result: attempt.result, detail: "", server: endpoint.description).error
                    .message)
        }
        return Answer(
            status: attempt.head.status, body: attempt.body,
            date: attempt.head.date.flatMap(CalendarTime.init(httpDate:))?.timestamp)
    }

    /// How a request went that was sent once.
    struct Attempt {
        let result: CURLcode
        /// curl's own words on a failure, which name hosts and files but no secrets.
        let detail: String
        let head: ResponseHead
        let body: [UInt8]
        let times: Times
        /// Who was connected to, a proxy where there is one: "127.0.0.1 port 9000".
        let peer: String?
        /// Whether that was a proxy.
        let isProxied: Bool
        /// Whether an answer has come, all of it or as much as is taken.
        let hasAnswer: Bool
    }

    /// When each step was done, from the start on; `nil` for those that it didn't come to.
    struct Times {
        let resolved: Duration?
        let connected: Duration?
        /// Only where there is TLS.
        let encrypted: Duration?
        let ended: Duration?

        fileprivate init(of easy: UnsafeMutableRawPointer) {
            func time(_ info: CURLINFO) -> Duration? {
                let microseconds = tractfs_easy_get_offset(easy, info)
                return microseconds > 0 ? .microseconds(microseconds) : nil
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
        guard let easy = curl_easy_init() else { preconditionFailure("out of memory") }
        defer { curl_easy_cleanup(easy) }
        let inbox = Inbox()
        let headers = list(of: request.headers)
        defer { curl_slist_free_all(headers) }
        setOptions(of: easy, inbox: inbox)
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
        // Where they were too many, the bytes that have come are enough to see that.
        let hasAnswer = result == CURLE_OK || inbox.isFull
        return Attempt(
            result: result, detail: detail, head: inbox.head, body: inbox.body, times: Times(of: easy),
            peer: peer(of: easy), isProxied: isProxied(easy, to: endpoint), hasAnswer: hasAnswer)
    }

    private func peer(of easy: UnsafeMutableRawPointer) -> String? {
        guard let address = tractfs_easy_get_string(easy, CURLINFO_PRIMARY_IP), address.pointee != 0 else { return nil }
        return "\(String(cString: address)) port \(tractfs_easy_get_long(easy, CURLINFO_PRIMARY_PORT))"
    }

    /// Before 8.7 libcurl doesn't say so. TLS goes through a proxy's CONNECT, and other proxies have other ports than stores.
    private func isProxied(_ easy: UnsafeMutableRawPointer, to endpoint: S3Endpoint) -> Bool {
        let port = tractfs_easy_get_long(easy, CURLINFO_PRIMARY_PORT)
        return tractfs_easy_get_long(easy, CURLINFO_HTTP_CONNECTCODE) > 0
            || (port > 0 && port != endpoint.port ?? endpoint.scheme.defaultPort)
    }

    private func perform(_ easy: UnsafeMutableRawPointer, _ request: HTTPRequest) -> CURLcode {
        if request.method == "GET" { return curl_easy_perform(easy) }
        return request.body.withUnsafeBytes { body in
            _ = tractfs_easy_set_long(easy, CURLOPT_POST, 1)
            _ = tractfs_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
            _ = tractfs_easy_set_long(easy, CURLOPT_POSTFIELDSIZE, body.count)
            // A null pointer would mean that the body is to be read from standard input.
            return withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { nothing in
                let start = body.baseAddress ?? UnsafeRawPointer(nothing.baseAddress)
                _ = tractfs_easy_set_pointer(easy, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: start))
                return curl_easy_perform(easy)
            }
        }
    }

    private func list(of headers: [HTTPHeader]) -> UnsafeMutablePointer<curl_slist>? {
        // Neither is waited for: an answer to "Expect" never comes from some services.
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
        if let caBundle { _ = tractfs_easy_set_string(easy, CURLOPT_CAINFO, caBundle) }
        if !usesProxy { _ = tractfs_easy_set_string(easy, CURLOPT_NOPROXY, "*") }
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

    /// What has come of an answer.
    private final class Inbox {
        /// Answers have one or two kilobytes.
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
