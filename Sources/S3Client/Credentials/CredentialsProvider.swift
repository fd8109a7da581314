public import ObjectStore

/// Who knows the credentials that are good now. Asked before every attempt, on a network thread, so everything here returns
/// at once: renewing is done elsewhere.
public protocol CredentialsProvider: Sendable {
    /// What to sign with now.
    ///
    /// - Parameter subject: What the request asks for, the same text for the same object.
    func current(for subject: String) -> CurrentCredentials

    /// What is in use, for a signature that others will send; `nil` while there is nothing that the store is thought to
    /// take, which the next request then finds out.
    func inUse() -> ResolvedCredentials?

    /// The store doesn't take these credentials, or no longer.
    ///
    /// - Parameters:
    ///   - subject: What the request asked for.
    ///   - error: What it says, without what it was asked for.
    /// - Returns: Whether the request should ask for `current` again; otherwise nothing else is to be had.
    func noteRefusal(of credentials: Credentials, for subject: String, _ error: StoreError) -> Bool

    /// The store takes these credentials. To be told where they were unproven.
    func noteSuccess(of credentials: Credentials)
}

/// What a request may be signed with.
public enum CurrentCredentials: Sendable {
    /// These.
    ///
    /// - isUnproven: Whether somebody waits to hear that the store takes them.
    case ready(Credentials, isUnproven: Bool)
    /// Others are just being looked for, which won't take long.
    case renewing
    /// There are none that are valid.
    case unavailable(StoreError)
}

extension Credentials: CredentialsProvider {
    /// Themselves: credentials that were looked up once and stay.
    public func current(for subject: String) -> CurrentCredentials { .ready(self, isUnproven: false) }

    /// Themselves, with what can be seen of them.
    public func inUse() -> ResolvedCredentials? {
        ResolvedCredentials(
            credentials: self, source: "the caller", expiry: nil, kind: sessionToken == nil ? .user : .session)
    }

    /// There are no others.
    public func noteRefusal(of credentials: Credentials, for subject: String, _ error: StoreError) -> Bool { false }

    /// Changes nothing.
    public func noteSuccess(of credentials: Credentials) {}
}
