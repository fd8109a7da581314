/// An error in the user's configuration: a URL, a name, a file, a profile.
public struct SettingsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The message, one sentence without a period: the problem, its location and the remedy. Never contains a secret.
    public let description: String

    /// `true` if a service could not be reached, so that another attempt may succeed.
    public let isTransient: Bool
    /// `true` if the error only means that a source of credentials has none.
    let hasNoCredentials: Bool

    init(_ description: String, isTransient: Bool = false, hasNoCredentials: Bool = false) {
        self.description = description
        self.isTransient = isTransient
        self.hasNoCredentials = hasNoCredentials
    }
}
