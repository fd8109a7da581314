public import Logging
public import ObjectStore
import Synchronization
import SystemSupport

/// The credentials of a mount, kept good for as long as it lasts: `CredentialsState`, and the one thread that asks the
/// chain. No request waits for that thread; requests are told `renewing`, and ask again.
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

    /// Keeps what the chain gave good from now on.
    ///
    /// - Parameters:
    ///   - chain: What is asked again.
    ///   - resolved: What it has given; `nil` where it is still to be asked, and requests wait for it.
    ///   - logger: Told when credentials are replaced, lost and found.
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

    /// Ends the thread, once the source that it may be asking has answered.
    public func shutdown() {
        shared.withLock { $0.isEnded = true }
        wakeup.change { $0 = true }
    }

    /// The credentials that were found last, and what is known of them.
    public var resolved: ResolvedCredentials { shared.withLock { $0.state.resolved } }

    /// Whether the store is thought to take them.
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
            \(error); what is not cached can't be read until there are valid credentials: renew them where they come from, \
            there is no need to mount again
            """)
    }
}

// MARK: - On network threads

extension CredentialsSession {
    /// What to sign with now.
    public func current(for subject: String) -> CurrentCredentials {
        let (current, hasErrand) = shared.withLock { $0.state.current(for: subject, now: .now) }
        if hasErrand { wakeup.change { $0 = true } }
        return current
    }

    /// What the store is thought to take.
    public func inUse() -> ResolvedCredentials? { shared.withLock { $0.state.inUse } }

    /// Has others looked for, unless that is under way or was done in vain.
    public func noteRefusal(of credentials: Credentials, for subject: String, _ error: StoreError) -> Bool {
        switch shared.withLock({ $0.state.noteRefusal(of: credentials, for: subject, error, now: .now) }) {
        case .askAgain: return true
        case .replace:
            wakeup.change { $0 = true }
            return true
        case .giveUp: return false
        case .giveUpNews(let error):
            logLoss(error)
            return false
        }
    }

    /// The credentials are good.
    public func noteSuccess(of credentials: Credentials) {
        if shared.withLock({ $0.state.noteSuccess(of: credentials, now: .now) }) {
            log("the store takes the credentials again")
        }
    }
}

// MARK: - On the thread

extension CredentialsSession {
    /// What the thread does. It doesn't keep the session alive, except while there is something to do.
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

    /// Does what is to be done.
    ///
    /// - Returns: How long there is nothing to do then, unless requests say otherwise; `nil` at the end.
    private func proceed() -> Duration? {
        let (errand, isEnded) = shared.withLock { ($0.state.errand(now: .now), $0.isEnded) }
        if isEnded { return nil }
        if let errand { run(errand) }
        return shared.withLock { $0.state.wait(now: .now) }
    }

    private func run(_ errand: CredentialsState.Errand) {
        let answer = Result { () throws(SettingsError) in try chain.resolve() }
        switch shared.withLock({ $0.state.take(answer, now: .now) }) {
        case .none:
            if errand == .renewal, case .failure(let error) = answer {
                logger.warning("the credentials can't be renewed yet: \(error)")
            }
        case .replaced: log(errand == .renewal ? "the credentials were renewed" : "there are other credentials now")
        case .lost(let error): logLoss(error)
        }
    }
}
