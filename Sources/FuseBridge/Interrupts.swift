import CFuse
import Synchronization

/// The parked replies that an interrupt may end, by tokens.
///
/// libfuse hands a pointer back when a request is interrupted, perhaps just when the request is being answered on another
/// thread. So it gets a number to look up here rather than a pointer to something that may be gone.
final class Interrupts: Sendable {
    /// What a registration is called. Never used twice, never 0 (which would be a null pointer).
    typealias Token = UInt

    private enum Registration {
        /// libfuse is just being told; it may report an interrupt on this same thread, in the middle of that call.
        case beginning
        /// It did, or another thread did.
        case interrupted
        case waiting(ParkedReply)
    }

    private struct State {
        var registrations: [Token: Registration] = [:]
        var lastToken: Token = 0
    }

    private let state = Mutex(State())

    /// Asks libfuse to report an interrupt of a request that isn't answered yet. `finishRegistering` must follow.
    func register(_ request: fuse_req_t) -> Token {
        let token = state.withLock { state in
            state.lastToken += 1
            state.registrations[state.lastToken] = .beginning
            return state.lastToken
        }
        // While this runs, libfuse holds the request's own lock, so that the request must not be answered from within:
        // `report` only makes a note of an interrupt until registering is finished.
        fuse_req_interrupt_func(
            request,
            { request, token in
                guard let request, let token else { return }
                FuseSession.of(request).interrupts.report(Token(bitPattern: token))
            }, UnsafeMutableRawPointer(bitPattern: token))
        return token
    }

    /// From now on an interrupt ends the wait of `reply`. Returns whether one has come already.
    func finishRegistering(_ token: Token, _ reply: ParkedReply) -> Bool {
        state.withLock { state in
            if case .interrupted = state.registrations[token] { return true }
            state.registrations[token] = .waiting(reply)
            return false
        }
    }

    /// Forgets a registration.
    func remove(_ token: Token) {
        state.withLock { $0.registrations[token] = nil }
    }

    private func report(_ token: Token) {
        let reply = state.withLock { state -> ParkedReply? in
            switch state.registrations[token] {
            case .waiting(let reply):
                return reply
            case .beginning:
                state.registrations[token] = .interrupted
                return nil
            case .interrupted, nil:
                return nil
            }
        }
        reply?.interrupt()
    }
}
