import S3Client

/// The way to sign requests.
enum Signing: Sendable {
    case unsigned
    case signed(ResolvedCredentials)

    /// `nil` for unsigned requests.
    var credentials: Credentials? {
        guard case .signed(let resolved) = self else { return nil }
        return resolved.credentials
    }

    /// The credentials and their source, for messages.
    var source: String? {
        guard case .signed(let resolved) = self else { return nil }
        return "\(resolved.credentials) from \(resolved.source)"
    }
}
