/// The metadata service of an EC2 machine, version 2, as far as tests need it.
public struct MetadataService: Sendable {
    /// The role's name; `nil` where the machine has none.
    public var role: String? = "tract-role"
    /// The document of the role.
    public var document: String
    /// The session token of valid requests.
    public static let token = "IMDS-SESSION-TOKEN=="

    /// A machine whose role has these credentials.
    public init(document: String) {
        self.document = document
    }

    /// The answer to a request.
    public func answer(_ request: ServiceTestServer.Request) -> ServiceTestServer.Answer {
        if request.target == "/latest/api/token" {
            guard request.method == "PUT", request.headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600" else {
                return .init(status: 400)
            }
            return .init(Self.token)
        }
        guard request.headers["x-aws-ec2-metadata-token"] == Self.token else { return .init(status: 401) }
        let roles = "/latest/meta-data/iam/security-credentials/"
        guard let role else { return .init(status: 404) }
        switch request.target {
        case roles: return .init(role)
        case roles + role: return .init(document)
        default: return .init(status: 404)
        }
    }
}
