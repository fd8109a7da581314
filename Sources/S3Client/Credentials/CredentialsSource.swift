/// One place where credentials may be found. It is looked at anew each time.
protocol CredentialsSource: Sendable {
    /// What is looked at, for the message that nothing was found anywhere.
    var whatIsLookedAt: String { get }

    /// The credentials, or `nil` where this source has none.
    ///
    /// May take seconds, where services are asked or programs run.
    ///
    /// - Throws: Where it has something that can't be used; later sources aren't asked then.
    func credentials() throws(SettingsError) -> ResolvedCredentials?
}
