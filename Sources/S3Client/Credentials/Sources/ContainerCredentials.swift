import SystemSupport

/// What the container's environment names a URL for: ECS, EKS Pod Identity, Greengrass.
///
/// Source: "Container credential provider" in the AWS SDKs and Tools Reference Guide.
struct ContainerCredentials: CredentialsSource {
    private static let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    private static let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    /// Where a relative URI is: ECS's address in every container.
    private static let relativeEndpoint = S3Endpoint(scheme: .http, host: "169.254.170.2")
    /// Beyond loopback addresses, those of ECS and EKS. To others a token goes by TLS only.
    private static let plainHosts: Set = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"]

    private let environment: [String: String]

    init(environment: [String: String]) {
        self.environment = environment
    }

    var whatIsLookedAt: String { "\(Self.relative) and \(Self.full)" }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        guard let (endpoint, request) = try request() else { return nil }
        let connection = ServiceConnection(
            connectLimit: .seconds(1), limit: .seconds(2), caBundle: environment["AWS_CA_BUNDLE"].nonEmpty)
        let answer: ServiceConnection.Answer
        do throws(ServiceConnection.Failure) {
            answer = try connection.send(request, to: endpoint)
        } catch {
            throw SettingsError("the container's credentials can't be had: \(error.description)", mayPass: true)
        }
        let source = "the container (\(endpoint))"
        guard answer.status == 200 else {
            throw SettingsError(
                "\(source) refuses credentials (HTTP \(answer.status)); check the role of the task or pod, and "
                    + "AWS_CONTAINER_AUTHORIZATION_TOKEN")
        }
        guard let document = CredentialsDocument(parsing: answer.body, tokenName: "Token") else {
            throw SettingsError("\(source) answered with something that holds no credentials")
        }
        return try document.credentials(from: source, kind: { _ in .instance }, serviceTime: answer.date)
    }

    private func request() throws(SettingsError) -> (S3Endpoint, HTTPRequest)? {
        let endpoint: S3Endpoint
        let target: Substring
        if let uri = environment[Self.relative].nonEmpty {
            guard uri.hasPrefix("/") else { throw SettingsError("\(Self.relative) must begin with /") }
            (endpoint, target) = (Self.relativeEndpoint, uri[...])
        } else if let uri = environment[Self.full].nonEmpty {
            (endpoint, target) = try Self.split(uri)
        } else {
            return nil
        }
        guard target.utf8.allSatisfy(\.isVisibleASCII) else {
            throw SettingsError("the container's credentials have a URI with a character that can't be in one")
        }
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let fields = parts.count == 2 ? parts[1].split(separator: "&") : []
        var request = HTTPRequest(host: endpoint.authority, path: String(parts[0]))
        request.query = fields.map { field in
            let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = pair.count == 2 ? PercentEncoding.decodeForm(Array(pair[1].utf8)) : []
            return QueryItem(String(pair[0]), value ?? [])
        }
        request.headers = [HTTPHeader("Accept", "application/json")]
        if let token = try token() { request.headers.append(HTTPHeader("Authorization", token)) }
        return (endpoint, request)
    }

    /// The endpoint of a full URI, and what stands behind it.
    private static func split(_ uri: String) throws(SettingsError) -> (S3Endpoint, Substring) {
        let hostStart = uri.firstRange(of: "://")?.upperBound ?? uri.startIndex
        let end = uri[hostStart...].firstIndex { $0 == "/" || $0 == "?" } ?? uri.endIndex
        let endpoint: S3Endpoint
        do {
            endpoint = try S3Endpoint(parsing: String(uri[..<end]))
        } catch {
            throw SettingsError("\(full) is no URL with http:// or https:// in front")
        }
        guard endpoint.scheme == .https || endpoint.isLoopback || plainHosts.contains(endpoint.host) else {
            throw SettingsError(
                "\(full) names \(endpoint.host): without https, credentials are asked of this machine and of the addresses of "
                    + "ECS and EKS only")
        }
        let target = uri[end...]
        return (endpoint, target.hasPrefix("/") ? target : "/\(target)"[...])
    }

    private func token() throws(SettingsError) -> String? {
        let file = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
        // EKS writes a new one into the file now and then.
        if let path = environment[file].nonEmpty { return try SettingsFile.token(at: path, namedBy: file) }
        guard let token = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"].nonEmpty else { return nil }
        guard token.utf8.allSatisfy(\.isPrintableASCII) else {
            throw SettingsError(
                "AWS_CONTAINER_AUTHORIZATION_TOKEN has a line break or another character that can't be in it")
        }
        return token
    }
}
