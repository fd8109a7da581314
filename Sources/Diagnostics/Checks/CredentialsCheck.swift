import CommandOutput
import Glibc
import ObjectStore
import S3Client
import SystemSupport

/// Checks that there are credentials.
struct CredentialsCheck: Check {
    /// The sources; `nil` for unsigned requests.
    let chain: CredentialsChain?
    let environment: [String: String]

    var name: CheckName { .credentials }
    /// Longer than a mount's limits for a `credential_process` (60 s), and for a role of a role, whose services may
    /// take 61 s.
    var limit: Duration { .seconds(75) }

    func run() -> CheckResult<Signing> {
        guard let chain else { return CheckResult(.ok(name, "none: requests are not signed"), .unsigned) }
        do throws(SettingsError) {
            let resolved = try chain.resolve()
            let finding = finding(on: resolved)
            // Requests with expired credentials would only be refused, in other words.
            return CheckResult(finding, finding.status == .failure ? nil : .signed(resolved))
        } catch {
            return CheckResult(.failure(name, error), nil)
        }
    }

    private func finding(on resolved: ResolvedCredentials) -> Finding {
        let until = resolved.expiry.map { ", until \($0.localText)" } ?? ""
        let message = "\(resolved.credentials) from \(resolved.source) (\(resolved.kind.words)\(until))"
        let values: [(name: String, value: JSONObject.Value)] = [
            ("access_key_id_end", .string(String(resolved.credentials.accessKeyID.suffix(4)))),
            ("source", .string(resolved.source)), ("kind", .string("\(resolved.kind)")),
            ("expires", resolved.expiry.map { .string($0.utcText) } ?? .null),
        ]
        if let expiry = resolved.expiry, expiry <= .now {
            return .failure(
                name, "\(message) have ended", advice: "get new ones where these come from", values: values)
        }
        if let advice = advice(on: resolved) { return .warning(name, message, advice: advice, values: values) }
        return .ok(name, message, values: values)
    }

    /// Returns advice if the credentials are probably not those that the user means, or will not last.
    private func advice(on resolved: ResolvedCredentials) -> String? {
        guard resolved.isFromEnvironment else { return nil }
        if let profile = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].first(where: { environment[$0]?.isEmpty == false }) {
            return "\(profile) is set too, but keys in the environment go first: "
                + "if the profile's are meant, unset AWS_ACCESS_KEY_ID or name the profile with --profile"
        }
        if resolved.kind != .user {
            return "a mount can't renew keys that are in the environment: "
                + "put them into a profile, where new ones are found when these end"
        }
        return nil
    }
}

extension ResolvedCredentials.Kind {
    /// The kind of credentials, in words.
    fileprivate var words: String {
        switch self {
        case .user: "a user's own keys"
        case .session: "temporary keys"
        case .instance: "temporary keys of a machine or container"
        }
    }
}
