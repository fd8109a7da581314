public import ObjectStore

/// A provider of the current credentials. Called before every attempt on a network thread, so all methods return
/// immediately; credentials are renewed elsewhere.
public protocol CredentialsProvider: Sendable {
    /// Returns the credentials to sign a request with.
    ///
    /// - Parameter subject: The object of the request; the same text for the same object.
    func current(for subject: String) -> CurrentCredentials

    /// Returns the credentials in use, for a signature that others will send; `nil` while the store is not assumed to
    /// accept any. The next request then determines that.
    func inUse() -> ResolvedCredentials?

    /// Records that the store has refused the credentials.
    ///
    /// - Parameters:
    ///   - subject: The object of the request.
    ///   - error: The error of the store, without the subject.
    /// - Returns: `true` if the request should ask for `current` again; `false` if it must fail.
    func noteRefusal(of credentials: Credentials, for subject: String, _ error: StoreError) -> Bool

    /// Records that the store has accepted the credentials. Must be called for unverified ones.
    func noteSuccess(of credentials: Credentials)
}

/// The answer of a provider to a request that is to be signed.
public enum CurrentCredentials: Sendable {
    /// The credentials to use.
    ///
    /// - isUnverified: `true` if the provider must be told whether the store accepts them.
    case ready(Credentials, isUnverified: Bool)
    /// A lookup of other credentials is in progress, and will not take long.
    case renewing
    /// No credentials are valid.
    case unavailable(StoreError)
}

extension Credentials: CredentialsProvider {
    /// Returns these credentials, which never change.
    public func current(for subject: String) -> CurrentCredentials { .ready(self, isUnverified: false) }

    /// Returns these credentials.
    public func inUse() -> ResolvedCredentials? {
        ResolvedCredentials(
            credentials: self, source: "the caller", expiry: nil, kind: sessionToken == nil ? .user : .session)
    }

    /// Returns `false`: there are no other credentials.
    public func noteRefusal(of credentials: Credentials, for subject: String, _ error: StoreError) -> Bool { false }

    /// Does nothing.
    public func noteSuccess(of credentials: Credentials) {}
}
