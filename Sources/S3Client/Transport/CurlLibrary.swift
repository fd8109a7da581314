internal import CCurl

/// libcurl as a whole.
enum CurlLibrary {
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

    /// To be called before libcurl is used; does something the first time only.
    static func initialize() {
        precondition(isReady, "libcurl can't be initialised")
    }
}
