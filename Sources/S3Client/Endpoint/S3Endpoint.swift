import SystemSupport

/// Where a service answers: scheme, host, port and the path in front of what it has, which at S3 are buckets.
public struct S3Endpoint: Hashable, Sendable, CustomStringConvertible {
    enum Scheme: String, Sendable {
        case http
        case https

        var defaultPort: Int { self == .http ? 80 : 443 }
    }

    let scheme: Scheme
    /// A name or an address, in lower case, IPv6 in brackets.
    let host: String
    /// `nil` for the scheme's own.
    let port: Int?
    /// Empty, or begins with "/" and doesn't end in one.
    let path: String

    init(scheme: Scheme, host: String, port: Int? = nil, path: String = "") {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.path = path
    }

    /// What stands in a `Host` header: the port only where it isn't the scheme's own.
    var authority: String { port.map { "\(host):\($0)" } ?? host }

    /// Whether what is sent there stays on this machine.
    var isLoopback: Bool {
        host == "localhost" || host.hasSuffix(".localhost") || host == "[::1]" || Self.isLoopbackAddress(host)
    }

    /// 127.0.0.0/8; not a name that only begins so.
    private static func isLoopbackAddress(_ host: String) -> Bool {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// The endpoint as a URL.
    public var description: String { "\(scheme.rawValue)://\(authority)\(path)" }
}

extension S3Endpoint {
    /// Reads an endpoint URL such as `http://127.0.0.1:9000` or `https://storage.example.org/s3`.
    ///
    /// - Throws: What is wrong with the URL, without repeating a password that it may hold.
    public init(parsing url: String) throws(SettingsError) {
        guard let separator = url.firstRange(of: "://"),
            let scheme = Scheme(rawValue: url[..<separator.lowerBound].lowercased())
        else {
            throw SettingsError("the endpoint URL must begin with http:// or https://, as in https://s3.example.org")
        }
        let rest = url[separator.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest[authority.endIndex...]
        // Anywhere: a password with a "/" in it looks like a path.
        guard !rest.contains("@") else {
            throw SettingsError(
                "the endpoint URL may not hold a user name or password: credentials come from the environment or a profile"
            )
        }
        guard path.utf8.allSatisfy(\.isVisibleASCII), !path.contains("?"), !path.contains("#") else {
            throw SettingsError(
                "the endpoint URL \(Excerpt.of(url.utf8)) may have a path, but no query and no fragment")
        }
        let (host, port) = try Self.split(authority: authority, of: url)
        self.init(
            scheme: scheme, host: host, port: port == scheme.defaultPort ? nil : port,
            path: String(path.reversed().drop { $0 == "/" }.reversed()))
    }

    private static func split(authority: Substring, of url: String) throws(SettingsError) -> (String, Int?) {
        let isBracketed = authority.hasPrefix("[")
        let hostEnd =
            isBracketed
            ? authority.firstIndex(of: "]").map(authority.index(after:))
            : authority.firstIndex(of: ":") ?? authority.endIndex
        guard let hostEnd, isHost(authority[..<hostEnd], isBracketed: isBracketed) else {
            throw SettingsError("the endpoint URL \(Excerpt.of(url.utf8)) names no valid host")
        }
        let host = authority[..<hostEnd].lowercased()
        let tail = authority[hostEnd...]
        if tail.isEmpty { return (host, nil) }
        guard tail.hasPrefix(":"), tail.utf8.dropFirst().allSatisfy(\.isDigit), let port = Int(tail.dropFirst()),
            (1...65_535).contains(port)
        else {
            throw SettingsError("the endpoint URL \(Excerpt.of(url.utf8)) has a port that is not 1 to 65535")
        }
        return (host, port)
    }

    private static func isHost(_ host: Substring, isBracketed: Bool) -> Bool {
        if isBracketed {
            return host.count > 2
                && host.dropFirst().dropLast().utf8.allSatisfy {
                    Character(Unicode.Scalar($0)).isHexDigit || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
                }
        }
        return !host.isEmpty
            && host.utf8.allSatisfy {
                $0.isDigit || isLetter($0) || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_")].contains($0)
            }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
