import ObjectStore

/// The way to a server: through a proxy or not, and the addresses to connect to.
struct Route: Equatable, Sendable {
    /// `nil` for a direct connection.
    let proxy: Proxy?
    /// The host whose addresses were looked up; `nil` where that was not needed.
    let host: String?
    /// Entries for CURLOPT_RESOLVE: "HOST:PORT:ADDRESS,ADDRESS".
    let addresses: [String]

    /// The text to put behind a server's URL in messages.
    var note: String { proxy.map { " (through the proxy \($0))" } ?? "" }
}

/// Finds the way to servers.
struct Router: Sendable {
    let proxies: ProxySettings
    let resolver: HostResolver

    init(proxies: ProxySettings, resolver: HostResolver = .shared) {
        self.proxies = proxies
        self.resolver = resolver
    }

    /// The state of a way.
    enum Answer {
        case ready(Route)
        /// An address is being looked up. The error is for requests that end meanwhile.
        case pending(StoreError)
        /// The address isn't known.
        case failed(AttemptFailure)
    }

    /// Returns the way to `endpoint`, at once.
    func route(to endpoint: S3Endpoint) -> Answer {
        let proxy = proxies.proxy(for: endpoint)
        // With most proxies the address of the server is their business.
        let isServerWanted = proxy?.takesAddresses ?? true
        var places: [(host: String, port: Int)] = []
        if let proxy { places.append((proxy.host, proxy.port)) }
        if isServerWanted { places.append((endpoint.host, endpoint.port ?? endpoint.scheme.defaultPort)) }
        var host: String?
        var entries: [String] = []
        for place in places where Router.needsLookup(place.host) {
            host = place.host
            switch resolver.addresses(of: place.host) {
            case .known(let addresses):
                entries += Router.entries(for: place, addresses)
            case .pending:
                return .pending(
                    StoreError(.unreachable, "\(Router.problem(endpoint)): no name server answers for \(place.host)"))
            case .failed(let failure):
                let message = "\(Router.problem(endpoint)): \(failure.message)"
                return .failed(AttemptFailure(StoreError(.unreachable, message), remedy: .backOff))
            }
        }
        return .ready(Route(proxy: proxy, host: host, addresses: entries))
    }

    /// No connection could be made that way: the next one looks for other addresses.
    func noteUnreachable(_ route: Route) {
        if let host = route.host { resolver.noteUnreachable(host) }
    }

    /// The beginning of the message on an address that isn't known.
    private static func problem(_ endpoint: S3Endpoint) -> String {
        "can't find the address of \(endpoint.scheme.rawValue)://\(endpoint.authority)"
    }

    /// Returns `true` if a host is a name. curl knows the addresses of "localhost" and of all below it without being told.
    private static func needsLookup(_ host: String) -> Bool {
        IPAddress(host) == nil && host != "localhost" && !host.hasSuffix(".localhost")
    }

    private static func entries(for place: (host: String, port: Int), _ addresses: [String]) -> [String] {
        if addresses.isEmpty { return [] }
        let list = addresses.joined(separator: ",")
        // Versions of curl differ in whether they drop a dot at the end first.
        let names = place.host.hasSuffix(".") ? [place.host, String(place.host.dropLast())] : [place.host]
        return names.map { "\($0):\(place.port):\(list)" }
    }
}
