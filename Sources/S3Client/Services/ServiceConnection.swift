internal import CCurl
import Glibc
import ObjectStore

/// Asks services that hand out credentials: rare, small requests, one at a time, on a thread that may wait.
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
        let result = perform(easy, request)
        // Where they were too many, the bytes that have come are enough to see that.
        guard result == CURLE_OK || inbox.isFull else {
            throw Failure(
                isSilence: result == CURLE_OPERATION_TIMEDOUT
                    && tractfs_easy_get_offset(easy, CURLINFO_CONNECT_TIME_T) > 0,
                description: AttemptFailure(result: result, detail: "", server: endpoint.description).error.message)
        }
        return Answer(
            status: inbox.head.status, body: inbox.body,
            date: inbox.head.date.flatMap(CalendarTime.init(httpDate:))?.timestamp)
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
