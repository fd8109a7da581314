/// What must not be seen in a message, such as a session token: a server may repeat what it was sent.
struct SecretText: Sendable {
    /// Shorter ones are no secrets, and removing them would make messages unreadable.
    private static let byteCountMin = 8

    private let secrets: [String]

    init(_ secrets: [String?]) {
        self.secrets = secrets.compactMap { $0 }.filter { $0.utf8.count >= Self.byteCountMin }
    }

    /// `text` without the secrets.
    func removed(from text: String) -> String {
        secrets.reduce(text) { $0.replacing($1, with: "[…]") }
    }
}
