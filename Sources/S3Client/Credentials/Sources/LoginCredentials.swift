/// The session of `aws login`. Only the AWS CLI can renew it, since it is bound to a key of the CLI. So this source has
/// no credentials, and throws an error with the remedy.
struct LoginCredentials: CredentialsSource {
    let profile: Profile

    var searchedLocation: String { "login_session of \(profile.description)" }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        guard profile.setting("login_session") != nil else { return nil }
        throw SettingsError(
            "\(profile.description) uses `aws login` (login_session), which tractfs can't renew; let the AWS CLI do it: "
                + "credential_process = aws configure export-credentials --profile \(Excerpt.of(profile.name.utf8)) in a "
                + "profile of its own")
    }
}
