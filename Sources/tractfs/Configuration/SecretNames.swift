/// What people call their keys.
enum SecretNames {
    private static let parts = ["access-key", "secret", "session-token", "password", "passwd"]

    /// Whether a name seems to be that of a secret.
    static func contain(_ name: String) -> Bool {
        let name = name.lowercased().replacing("_", with: "-")
        return parts.contains { name.contains($0) }
    }
}
