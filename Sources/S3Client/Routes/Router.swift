import ObjectStore

/// The route to a server: the proxy, if any, and the addresses to connect to.
struct Route: Equatable, Sendable {
    /// `nil` for a direct connection.
    let proxy: Proxy?
    /// The host whose addresses were looked up; `nil` if no lookup was needed.
    let host: String?
    /// Entries for CURLOPT_RESOLVE: "HOST:PORT:ADDRESS,ADDRESS".
    let addresses: [String]

    /// The text that follows the server's URL in messages.
    var note: String { proxy.map { " (through the proxy \($0))" } ?? "" }
}

/// Determines the routes to servers.
struct Router: Sendable {
    let proxies: ProxySettings
    let resolver: HostResolver

    init(proxies: ProxySettings, resolver: HostResolver = .shared) {
        self.proxies = proxies
        self.resolver = resolver
    }

    /// The state of a route.
    enum Answer {
        case ready(Route)
        /// A lookup of an address is in progress. The error is for requests that end meanwhile.
        case pending(StoreError)
        /// The address is unknown.
        case failed(AttemptFailure)
    }

    /// Returns the route to `endpoint` immediately.
    func route(to endpoint: S3Endpoint) -> Answer {
        let proxy = proxies.proxy(for: endpoint)
        // Most proxies look up the address of the server themselves.
        let isServerWanted = proxy?.takesAddresses ?? true
        var hosts: [(host: String, port: Int)] = []
        if let proxy { hosts.append((proxy.host, proxy.port)) }
        if isServerWanted { hosts.append((endpoint.host, endpoint.port ?? endpoint.scheme.defaultPort)) }
        var host: String?
        var entries: [String] = []
        for server in hosts where Router.needsLookup(server.host) {
            host = server.host
            switch resolver.addresses(of: server.host) {
            case .known(let addresses):
                entries += Router.entries(for: server, addresses)
            case .pending:
                return .pending(
                    StoreError(.unreachable, "\(Router.problem(endpoint)): no name server answers for \(server.host)"))
            case .failed(let failure):
                let message = "\(Router.problem(endpoint)): \(failure.message)"
                return .failed(AttemptFailure(StoreError(.unreachable, message), remedy: .backOff))
            }
        }
        return .ready(Route(proxy: proxy, host: host, addresses: entries))
    }

    /// Records that no connection could be made on this route, so that the addresses are soon looked up again.
    func noteUnreachable(_ route: Route) {
        if let host = route.host { resolver.noteUnreachable(host) }
    }

    /// Returns the beginning of the message for an unknown address.
    private static func problem(_ endpoint: S3Endpoint) -> String {
        "can't find the address of \(endpoint.scheme.rawValue)://\(endpoint.authority)"
    }

    /// Returns `true` if a host must be looked up. curl knows the addresses of "localhost" and of all names below it.
    private static func needsLookup(_ host: String) -> Bool {
        IPAddress(host) == nil && host != "localhost" && !host.hasSuffix(".localhost")
    }

    private static func entries(for server: (host: String, port: Int), _ addresses: [String]) -> [String] {
        if addresses.isEmpty { return [] }
        let list = addresses.joined(separator: ",")
        // Versions of curl differ in whether they first remove a dot at the end.
        let names = server.host.hasSuffix(".") ? [server.host, String(server.host.dropLast())] : [server.host]
        return names.map { "\($0):\(server.port):\(list)" }
    }
}
