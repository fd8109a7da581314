import CFuse
import Synchronization
import struct SystemPackage.Errno

/// A reply that waits for its result, and that an interrupt may send first.
///
/// The thread that `take`s the reply sends it: the one that has the result, or the one that watches interrupted
/// requests. The other one finds it gone. libfuse must never be asked about a request that is answered, and so freed:
/// interrupts are registered under the lock, while the reply is still there.
final class ParkedReply: Sendable {
    private struct State: ~Copyable {
        var reply: Reply?
        /// The registration for interrupts, if any. Set while the reply is there, never changed.
        var token: Interrupts.Token?
        /// Cancels the work on the result.
        var cancel: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>
    private let interrupts: Interrupts

    init(_ reply: consuming Reply, interrupts: Interrupts) {
        state = Mutex(State(reply: reply))
        self.interrupts = interrupts
    }

    /// Takes the reply; `nil` if it was taken before.
    func take() -> Reply? {
        let reply = state.withLock { $0.reply.take() }
        // No token is set after the reply is gone. The opposite order could leave one behind.
        let token = state.withLock { state in
            state.cancel = nil
            return state.token
        }
        if let token { interrupts.remove(token) }
        return reply
    }

    /// `true` if the reply has not been taken.
    var isWaiting: Bool {
        state.withLock { $0.reply?.withRequest { _ in true } ?? false }
    }

    /// Allows interrupts to end the wait from now on, unless it is over. Called after the operation was started: most
    /// operations are answered immediately, and need no registration.
    ///
    /// - Parameter cancel: Called when an interrupt has ended the wait.
    func awaitInterrupt(cancel: (@Sendable () -> Void)? = nil) {
        let interrupted = state.withLock { state -> Caller? in
            guard let token = state.reply?.withRequest({ interrupts.register($0) }) else { return nil }
            state.token = token
            state.cancel = cancel
            return interrupts.finishRegistering(token, self)
        }
        if let interrupted { interrupts.watch(self, of: interrupted) }
    }

    /// Replies EINTR, unless the reply was taken before.
    func interrupt() {
        let cancel = state.withLock { $0.cancel }
        guard let reply = take() else { return }
        cancel?()
        reply.send(.interrupted)
    }
}
