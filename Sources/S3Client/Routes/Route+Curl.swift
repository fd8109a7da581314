internal import CCurl

extension UnsafeMutableRawPointer {
    /// Sets the route of the easy handle. Empty strings prevent curl from reading the environment.
    ///
    /// - Parameter addresses: The addresses of the route as curl's list, which the caller must free.
    func setRoute(_ route: Route, addresses: UnsafeMutablePointer<curl_slist>?) {
        _ = tractfs_easy_set_list(self, CURLOPT_RESOLVE, addresses)
        _ = tractfs_easy_set_string(self, CURLOPT_PROXY, route.proxy?.url ?? "")
        _ = tractfs_easy_set_string(self, CURLOPT_NOPROXY, "")
    }
}
