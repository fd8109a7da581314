/// A source of credentials. It reads its files and settings again at each call.
protocol CredentialsSource: Sendable {
    /// The location that is searched, for the message that no source has credentials.
    var searchedLocation: String { get }

    /// Returns the credentials; `nil` if this source has none.
    ///
    /// May take seconds for services and programs.
    ///
    /// - Throws: An error if the source is configured but cannot be used; later sources are not tried then.
    func credentials() throws(SettingsError) -> ResolvedCredentials?
}
