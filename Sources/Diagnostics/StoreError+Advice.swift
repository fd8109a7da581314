package import ObjectStore

extension StoreError {
    /// Returns the advice to append to the error; empty if there is none.
    ///
    /// - Parameter source: The credentials of the request and their source; `nil` for none.
    package func advice(credentialsSource source: String?) -> String {
        switch code {
        case .noSuchBucket: "; check the bucket's name"
        // The client has added advice, but doesn't know the source of the credentials.
        case .accessDenied: source.map { " (\($0))" } ?? ""
        case .credentialsRejected: "; check the keys (\(source ?? "none"))"
        case .credentialsExpired: "; get new keys (these are \(source ?? "none"))"
        case .unreachable, .timedOut: "; check the network, --endpoint-url and the proxy settings"
        case .insecure: "; give the right certificates with --ca-bundle"
        case .wrongRegion: "; give the bucket's region with --region"
        case .malformedResponse: "; check --endpoint-url, and whether a proxy or login page is in between"
        case .throttled, .serverFault: "; try again"
        case .noSuchKey, .archived, .changed, .refused, .cancelled: ""
        }
    }
}
