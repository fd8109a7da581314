internal import CCurl

extension UnsafeMutableRawPointer {
    /// Tells the easy handle that this is the way to go. Empty texts keep curl from reading the environment.
    ///
    /// - Parameter addresses: The addresses of the route, as curl's list, which stays the caller's to free.
    func setRoute(_ route: Route, addresses: UnsafeMutablePointer<curl_slist>?) {
        _ = tractfs_easy_set_list(self, CURLOPT_RESOLVE, addresses)
        _ = tractfs_easy_set_string(self, CURLOPT_PROXY, route.proxy?.url ?? "")
        _ = tractfs_easy_set_string(self, CURLOPT_NOPROXY, "")
    }
}
