internal import CCurl

/// The initialization of libcurl.
enum CurlLibrary {
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// Initializes libcurl. Must be called before libcurl is used; has an effect only the first time.
    static func initialize() {
        precondition(isReady, "libcurl can't be initialised")
    }
}
