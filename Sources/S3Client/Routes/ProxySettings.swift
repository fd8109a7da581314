/// The proxies in the environment (`http_proxy`, `https_proxy`, `all_proxy`) and the hosts that are reached without one
/// (`no_proxy`), by curl's rules ("ENVIRONMENT" in curl(1)).
///
/// curl is always given the proxy. It never reads the environment, so that the host it connects to is known here.
public struct ProxySettings: Hashable, Sendable {
    /// No proxies.
    public static let none = ProxySettings()

    private var proxies: [S3Endpoint.Scheme: Proxy] = [:]
    private var exceptions: [ProxyException] = []

    private init() {}

    /// Reads the settings of an environment.
    ///
    /// - Throws: An error that names an invalid variable, but not its value, which may contain a password.
    public init(environment: [String: String]) throws(SettingsError) {
        for scheme in [S3Endpoint.Scheme.http, .https] {
            let names = Self.variables(for: scheme)
            guard let name = names.first(where: { environment[$0].nonEmpty != nil }), let url = environment[name]
            else { continue }
            proxies[scheme] = try Proxy(parsing: url, variable: name)
        }
        let list = environment["no_proxy"].nonEmpty ?? environment["NO_PROXY"] ?? ""
        exceptions = list.split { $0 == "," || $0.isWhitespace }.compactMap { ProxyException($0) }
    }

    /// The variables for URLs of a scheme, in order of precedence. HTTP_PROXY is not among them, since in a CGI program
    /// it is a header of the visitor's request.
    static func variables(for scheme: S3Endpoint.Scheme) -> [String] {
        (scheme == .http ? ["http_proxy"] : ["https_proxy", "HTTPS_PROXY"]) + ["all_proxy", "ALL_PROXY"]
    }

    /// The variables for https or http URLs, in order of precedence.
    public static func variables(forEncrypted isEncrypted: Bool) -> [String] {
        variables(for: isEncrypted ? .https : .http)
    }

    /// Returns the proxy for requests to `endpoint`; `nil` for a direct connection.
    func proxy(for endpoint: S3Endpoint) -> Proxy? {
        guard let proxy = proxies[endpoint.scheme], !exceptions.contains(where: { $0.matches(endpoint.host) }) else {
            return nil
        }
        return proxy
    }
}

/// A proxy, as a variable of the environment names it.
struct Proxy: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String {
        case http, https, socks4, socks4a, socks5, socks5h

        var port: Int { self == .https ? 443 : 1_080 }
    }

    /// The URL for curl, which may contain a password.
    let url: String
    /// The host that curl connects to.
    let host: String
    /// The port that curl connects to.
    let port: Int
    /// `true` if this machine looks up the addresses of servers, and not the proxy.
    let takesAddresses: Bool
    private let scheme: String

    /// Creates the proxy that `url` names.
    ///
    /// - Parameter variable: The source of the URL, for the message.
    fileprivate init(parsing url: String, variable: String) throws(SettingsError) {
        let separator = url.firstRange(of: "://")
        let kind = Kind(rawValue: separator.map { url[..<$0.lowerBound].lowercased() } ?? "http")
        let rest = separator.map { url[$0.upperBound...] } ?? url[...]
        // The host follows the last "@", since a password may contain one.
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let address = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        guard let kind, url.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }),
            let endpoint = try? S3Endpoint(parsing: "http://\(address)")
        else {
            throw SettingsError(
                "\(variable) is not the URL of a proxy; set it to one such as http://proxy.example.org:3128, or unset it"
            )
        }
        self.url = url
        host = endpoint.host
        // `S3Endpoint` omits port 80, since it is the default.
        port = endpoint.port ?? (address.hasSuffix(":80") ? 80 : kind.port)
        takesAddresses = kind == .socks4 || kind == .socks5
        scheme = kind.rawValue
    }

    /// The proxy without user name and password.
    var description: String { "\(scheme)://\(host):\(port)" }
}

/// An entry of `no_proxy`.
private enum ProxyException: Hashable {
    case everything
    /// A host, and all hosts below it in the domain name system.
    case name(String)
    case network(IPAddress, prefixLength: Int)

    init?(_ text: Substring) {
        if text == "*" {
            self = .everything
            return
        }
        let parts = text.split(separator: "/", maxSplits: 1)
        if let first = parts.first, let address = IPAddress(String(first)) {
            let length = parts.count > 1 ? Int(parts[1]) : address.bitCount
            guard let length, (0...address.bitCount).contains(length) else { return nil }
            self = .network(address, prefixLength: length)
            return
        }
        let name = text.lowercased().drop { $0 == "." }.trimmingSuffix("."[...])
        if name.isEmpty { return nil }
        self = .name(String(name))
    }

    func matches(_ host: String) -> Bool {
        switch self {
        case .everything: return true
        case .network(let network, let prefixLength):
            return IPAddress(host)?.isWithin(network, prefixLength: prefixLength) ?? false
        case .name(let name):
            let host = host.hasSuffix(".") ? host.dropLast() : host[...]
            return host == name || host.hasSuffix("." + name)
        }
    }
}

extension Substring {
    fileprivate func trimmingSuffix(_ suffix: Substring) -> Substring {
        hasSuffix(suffix) ? dropLast(suffix.count) : self
    }
}
