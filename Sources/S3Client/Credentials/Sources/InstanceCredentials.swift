import ObjectStore
import SystemSupport

/// The role of the EC2 machine that this is, by its metadata service in version 2.
///
/// Source: "Use the Instance Metadata Service to access instance metadata" in the Amazon EC2 User Guide; "IMDS credential
/// provider" in the AWS SDKs and Tools Reference Guide. Version 1, which any program on the machine can be tricked into
/// asking, is not used.
struct InstanceCredentials: CredentialsSource {
    private static let rolesPath = "/latest/meta-data/iam/security-credentials/"
    /// The longest that the service gives.
    private static let tokenLifetimeSeconds = 21_600
    /// While the service can't renew credentials it hands out those that have expired, and S3 takes them for some time.
    private static let extensionSeconds = 600

    private let context: CredentialsContext

    init(_ context: CredentialsContext) {
        self.context = context
    }

    var whatIsLookedAt: String {
        isDisabled ? "not at the machine's role: AWS_EC2_METADATA_DISABLED is set" : "the role of this EC2 machine"
    }

    private var isDisabled: Bool { context.environment["AWS_EC2_METADATA_DISABLED"]?.lowercased() == "true" }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        if isDisabled { return nil }
        let endpoint = try endpoint()
        guard let token = try token(from: endpoint) else { return nil }
        let roles = try get(Self.rolesPath, token: token, from: endpoint)
        // A machine without a role has no such list. One that has just been started may get it a little later.
        guard roles.status == 200,
            let role = String(decoding: roles.body, as: UTF8.self).split(whereSeparator: \.isNewline).first
        else { throw SettingsError("this EC2 machine has no role", mayPass: true, isAbsence: true) }
        // What takes all requests for its own, such as a login page, answers each with the same.
        let secrets = SecretText([token])
        let source = "the role \(secrets.removed(from: Excerpt.of(role.utf8))) of this EC2 machine"
        let answer = try get(
            Self.rolesPath + PercentEncoding.encode(role.utf8, as: .path), token: token, from: endpoint)
        guard answer.status == 200, let document = CredentialsDocument(parsing: answer.body, tokenName: "Token") else {
            throw SettingsError("\(source) has no credentials (HTTP \(answer.status) from \(endpoint))")
        }
        guard document["Code"]?.text ?? "Success" == "Success" else {
            let code = secrets.removed(from: Excerpt.of((document["Code"]?.text ?? "").utf8))
            throw SettingsError("\(source) has no credentials: \(code); check the role")
        }
        return extended(try document.credentials(from: source, kind: { _ in .instance }, serviceTime: answer.date))
    }

    private func extended(_ resolved: ResolvedCredentials) -> ResolvedCredentials {
        let soon = Timestamp(seconds: Timestamp.now.seconds + Self.extensionSeconds)
        guard let expiry = resolved.expiry, expiry <= Timestamp.now else { return resolved }
        return ResolvedCredentials(
            credentials: resolved.credentials, source: resolved.source, expiry: soon, kind: resolved.kind)
    }

    private func endpoint() throws(SettingsError) -> S3Endpoint {
        let services = context.services
        let variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
        let custom =
            context.environment[variable].nonEmpty ?? services.profile.setting("ec2_metadata_service_endpoint")
        if let custom {
            do {
                return try S3Endpoint(parsing: custom)
            } catch {
                throw SettingsError("\(variable): \(error)")
            }
        }
        let mode =
            context.environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"].nonEmpty
            ?? services.profile.setting("ec2_metadata_service_endpoint_mode")
        return S3Endpoint(scheme: .http, host: mode?.lowercased() == "ipv6" ? "[fd00:ec2::254]" : "169.254.169.254")
    }

    // MARK: - The service

    /// It is a hop away, or nowhere.
    private var connection: ServiceConnection {
        ServiceConnection(connectLimit: .seconds(1), limit: .seconds(2), attemptLimit: 3)
    }

    /// The token that every question needs.
    ///
    /// - Returns: `nil` where there is no such service.
    private func token(from endpoint: S3Endpoint) throws(SettingsError) -> String? {
        let request = HTTPRequest(
            method: "PUT", host: endpoint.authority, path: "/latest/api/token",
            headers: [HTTPHeader("X-aws-ec2-metadata-token-ttl-seconds", String(Self.tokenLifetimeSeconds))])
        let answer: ServiceConnection.Answer
        do throws(ServiceConnection.Failure) {
            answer = try connection.send(request, to: endpoint)
        } catch {
            guard error.isSilence else {
                throw SettingsError("no metadata service of EC2 at \(endpoint)", mayPass: true, isAbsence: true)
            }
            throw SettingsError(
                "the metadata service of this EC2 machine (\(endpoint)) takes connections, but doesn't answer: in a container "
                    + "the hop limit must be 2 or more (aws ec2 modify-instance-metadata-options "
                    + "--http-put-response-hop-limit 2); AWS_EC2_METADATA_DISABLED=true does without it",
                mayPass: true)
        }
        // A machine whose service is switched off answers 403. Other clouds' services, which know no tokens, answer the
        // others; the AWS CLI takes all three so (botocore.utils, IMDSFetcher).
        guard ![403, 404, 405].contains(answer.status) else { return nil }
        let token = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200, !token.isEmpty, token.utf8.allSatisfy(\.isVisibleASCII) else {
            throw SettingsError(
                "the metadata service of this EC2 machine (\(endpoint)) gives no token of version 2 (HTTP \(answer.status))"
            )
        }
        return token
    }

    private func get(
        _ path: String, token: String, from endpoint: S3Endpoint
    ) throws(SettingsError) -> ServiceConnection.Answer {
        let request = HTTPRequest(
            host: endpoint.authority, path: path, headers: [HTTPHeader("X-aws-ec2-metadata-token", token)])
        do throws(ServiceConnection.Failure) {
            return try connection.send(request, to: endpoint)
        } catch {
            throw SettingsError(
                "the metadata service of this EC2 machine no longer answers: \(error.description)", mayPass: true)
        }
    }
}
