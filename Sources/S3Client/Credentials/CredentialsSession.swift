public import Logging
public import ObjectStore
import Synchronization
import SystemSupport

/// The credentials of a mount, renewed for as long as it lasts: a `CredentialsState`, and the one thread that asks the
/// chain. Requests never wait for that thread; they get `renewing`, and ask again.
public final class CredentialsSession: CredentialsProvider {
    private struct Shared {
        var state: CredentialsState
        var isEnded = false
    }

    private let chain: CredentialsChain
    private let logger: Logger
    private let shared: Mutex<Shared>
    /// `true` if the thread must look at the state.
    private let wakeup = Monitor(false)

    /// Creates a session, and starts its thread.
    ///
    /// - Parameters:
    ///   - chain: The sources to ask for new credentials.
    ///   - resolved: The first result of the chain; `nil` to ask the chain while requests wait.
    ///   - logger: Receives a message when credentials are replaced or lost, and when they work again.
    public init(_ chain: CredentialsChain, _ resolved: ResolvedCredentials?, logger: Logger) {
        self.chain = chain
        self.logger = logger
        let state = resolved.map { CredentialsState($0) } ?? CredentialsState(lookingSince: .now)
        shared = Mutex(Shared(state: state))
        let work = Work(session: self, wakeup: wakeup)
        DetachedThread.start { work.run() }
    }

    deinit {
        shutdown()
    }

    /// Ends the thread as soon as a lookup in progress is over.
    public func shutdown() {
        shared.withLock { $0.isEnded = true }
        wakeup.change { $0 = true }
    }

    /// The last credentials that a source gave.
    public var resolved: ResolvedCredentials { shared.withLock { $0.state.resolved } }

    /// `true` while the store is assumed to accept the credentials.
    public var isUsable: Bool { shared.withLock { $0.state.inUse != nil } }

    private func log(_ message: String) {
        let resolved = resolved
        logger.notice(
            "\(message)",
            metadata: [
                "credentials": "\(resolved.credentials)", "from": "\(resolved.source)",
                "until": "\(resolved.expiry.map { $0.utcBasicText } ?? "unknown")",
            ])
    }

    private func logLoss(_ error: StoreError) {
        logger.error(
            """
            \(error); uncached data cannot be read until the credentials are valid: renew them at their source; \
            no remount is needed
            """)
    }
}

// MARK: - Network threads

extension CredentialsSession {
    /// Returns the credentials to sign a request with.
    public func current(for subject: String) -> CurrentCredentials {
        let (current, mustLookUp) = shared.withLock { $0.state.current(for: subject, now: .now) }
        if mustLookUp { wakeup.change { $0 = true } }
        return current
    }

    /// Returns the credentials that the store is assumed to accept.
    public func inUse() -> ResolvedCredentials? { shared.withLock { $0.state.inUse } }

    /// Records a refusal, and starts a lookup of other credentials where one may help.
    public func noteRefusal(of credentials: Credentials, for subject: String, _ error: StoreError) -> Bool {
        switch shared.withLock({ $0.state.noteRefusal(of: credentials, for: subject, error, now: .now) }) {
        case .retry: return true
        case .lookUp:
            wakeup.change { $0 = true }
            return true
        case .fail: return false
        case .failFirstReport(let error):
            logLoss(error)
            return false
        }
    }

    /// Records that the store has accepted the credentials.
    public func noteSuccess(of credentials: Credentials) {
        if shared.withLock({ $0.state.noteSuccess(of: credentials, now: .now) }) {
            log("the store accepts the credentials again")
        }
    }
}

// MARK: - The thread

extension CredentialsSession {
    /// The body of the thread. Keeps the session alive only during a lookup.
    private struct Work: Sendable {
        weak let session: CredentialsSession?
        let wakeup: Monitor<Bool>

        func run() {
            while let wait = session?.proceed() {
                wakeup.wait(atMost: wait) { $0 }
                wakeup.change { $0 = false }
            }
        }
    }

    /// Performs the lookup that is due, if any.
    ///
    /// - Returns: The time until the next lookup, unless a request needs one earlier; `nil` at the end.
    private func proceed() -> Duration? {
        let (lookup, isEnded) = shared.withLock { ($0.state.nextLookup(now: .now), $0.isEnded) }
        if isEnded { return nil }
        if let lookup { run(lookup) }
        return shared.withLock { $0.state.wait(now: .now) }
    }

    private func run(_ lookup: CredentialsState.Lookup) {
        let answer = Result { () throws(SettingsError) in try chain.resolve() }
        switch shared.withLock({ $0.state.take(answer, now: .now) }) {
        case .none:
            if lookup == .renewal, case .failure(let error) = answer {
                logger.warning("cannot renew the credentials yet: \(error)")
            }
        case .replaced: log(lookup == .renewal ? "credentials renewed" : "credentials replaced")
        case .lost(let error): logLoss(error)
        }
    }
}
