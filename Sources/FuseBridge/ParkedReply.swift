import CFuse
import Synchronization
import struct SystemPackage.Errno

/// A reply that may have to wait for the store, and that an interrupt may send first.
///
/// Whoever `take`s the reply sends it: the thread that has the answer, or the one that watches interrupted requests. The
/// other finds it gone. The order that must not happen is libfuse hearing of a request that is answered, and so freed:
/// therefore interrupts are asked for under the lock, with the reply still there.
final class ParkedReply: Sendable {
    private struct State: ~Copyable {
        var reply: Reply?
        /// Where the reply is registered for interrupts, if it is. Set while the reply is there, never changed.
        var token: Interrupts.Token?
        /// Tells whoever works on the answer that nobody wants it any more.
        var cancel: (@Sendable () -> Void)?
    }

    private let state: Mutex<State>
    private let interrupts: Interrupts

    init(_ reply: consuming Reply, interrupts: Interrupts) {
        state = Mutex(State(reply: reply))
        self.interrupts = interrupts
    }

    /// Takes the reply; `nil` where somebody else has sent it.
    func take() -> Reply? {
        let reply = state.withLock { $0.reply.take() }
        // After the reply is gone no token is set any more: the other order could leave one behind.
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

    /// Lets an interrupt that means to stop end the wait from now on, unless it is over already. To be called when the operation
    /// is under way: most are answered at once, and cost nothing here.
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

    /// Answers EINTR, unless the answer was faster.
    func interrupt() {
        let cancel = state.withLock { $0.cancel }
        guard let reply = take() else { return }
        cancel?()
        reply.send(.interrupted)
    }
}
