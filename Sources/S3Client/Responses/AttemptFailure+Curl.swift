internal import CCurl
import ObjectStore

/// The failures that curl reports ("libcurl-errors(3)").
extension AttemptFailure {
    /// Creates the failure of a transfer that ended with an error of curl.
    ///
    /// - Parameters:
    ///   - result: The result of the transfer; not `CURLE_OK`.
    ///   - detail: curl's message, which contains host names and file names but no secrets.
    ///   - connectStatus: The status of a proxy's response to CONNECT; 0 without one.
    ///   - server: The URL of the server.
    init(result: CURLcode, detail: String, connectStatus: Int = 0, server: String) {
        if connectStatus >= 300 {
            self = Self.refusal(byProxy: connectStatus, server: server)
            return
        }
        // For a proxy that it cannot use, curl repeats the URL with the password.
        let isPrintable = !detail.isEmpty && !detail.contains("nsupported proxy")
        let text = isPrintable ? Excerpt.of(detail.utf8) : String(cString: curl_easy_strerror(result))
        let (code, what, remedy) = Self.meaning(of: result)
        self.init(StoreError(code, "\(what) \(server): \(text)"), remedy: remedy)
    }

    /// Returns the failure for a proxy that refuses to connect to the server.
    private static func refusal(byProxy status: Int, server: String) -> AttemptFailure {
        let message = "the proxy makes no connection to \(server): HTTP \(status)"
        switch status {
        case 407:
            return AttemptFailure(StoreError(.refused, "\(message), \(proxyCredentialsAdvice)"))
        case 500...:
            // The proxy cannot reach the server, or is overloaded.
            return AttemptFailure(StoreError(.unreachable, message), remedy: .backOff)
        default:
            return AttemptFailure(StoreError(.refused, "\(message), which its rules may forbid"))
        }
    }

    /// The remedy for a proxy that answers 407.
    static let proxyCredentialsAdvice =
        "it wants a user name and a password: set them in http_proxy and https_proxy, as in http://USER:PASSWORD@HOST:PORT"

    private static func meaning(of result: CURLcode) -> (StoreError.Code, String, Remedy) {
        switch result {
        case CURLE_OPERATION_TIMEDOUT:
            (.timedOut, "no answer in time from", .backOff)
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            (.unreachable, "can't find the address of", .backOff)
        case CURLE_COULDNT_CONNECT, CURLE_PROXY:
            (.unreachable, "can't connect to", .backOff)
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CIPHER,
            CURLE_SSL_CERTPROBLEM:
            (.insecure, "no trust in the TLS certificate of", .none)
        case CURLE_SSL_CONNECT_ERROR:
            (.insecure, "no TLS connection to", .backOff)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            (.unreachable, "can't use the URL of", .none)
        case CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2:
            (.malformedResponse, "no HTTP answer from", .none)
        default:
            (.unreachable, "the connection broke to", .backOff)
        }
    }
}
