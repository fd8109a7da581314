import CFuse
import Synchronization

/// The registry of parked replies whose requests may be interrupted, by tokens.
///
/// libfuse passes a pointer to the interrupt function, possibly while another thread answers the request. A number to
/// look up here is used instead of a pointer to an object that may be gone.
final class Interrupts: Sendable {
    /// The id of a registration. Never used twice, never 0 (which would be a null pointer).
    typealias Token = UInt

    private enum Registration {
        /// The registration with libfuse is in progress. libfuse may report an interrupt within that call, on the same
        /// thread.
        case beginning
        /// An interrupt of this caller has been reported.
        case interrupted(Caller)
        case waiting(ParkedReply)
    }

    private struct State {
        var registrations: [Token: Registration] = [:]
        var lastToken: Token = 0
    }

    private let state = Mutex(State())
    private let watch = InterruptWatch()
    /// `true` if another program made the mount.
    private let isForeign: Bool

    init(isForeign: Bool = false) {
        self.isForeign = isForeign
    }

    /// Registers a request that is not answered yet for interrupts. `finishRegistering` must follow.
    func register(_ request: fuse_req_t) -> Token {
        let token = state.withLock { state in
            state.lastToken += 1
            state.registrations[state.lastToken] = .beginning
            return state.lastToken
        }
        // libfuse holds the lock of the request during this call, so the request must not be answered within it.
        // `report` only records an interrupt until the registration is finished.
        fuse_req_interrupt_func(
            request,
            { request, token in
                guard let request, let token else { return }
                let interrupts = FuseSession.of(request).interrupts
                interrupts.report(
                    Token(bitPattern: token), Caller(of: request, isForeign: interrupts.isForeign))
            }, UnsafeMutableRawPointer(bitPattern: token))
        return token
    }

    /// Finishes the registration of `reply`. Returns the caller if an interrupt was reported in the meantime.
    func finishRegistering(_ token: Token, _ reply: ParkedReply) -> Caller? {
        state.withLock { state in
            if case .interrupted(let caller) = state.registrations[token] { return caller }
            state.registrations[token] = .waiting(reply)
            return nil
        }
    }

    /// Removes a registration.
    func remove(_ token: Token) {
        state.withLock { $0.registrations[token] = nil }
    }

    /// Watches `reply`, and ends its wait when the signals of its caller require it.
    func watch(_ reply: ParkedReply, of caller: Caller) {
        watch.add(reply, of: caller)
    }

    /// Starts the watch. Must be called before the first request.
    func begin() {
        watch.begin()
    }

    /// Ends the watch. Must be called after all requests are answered.
    func end() {
        watch.end()
    }

    private func report(_ token: Token, _ caller: Caller) {
        let reply = state.withLock { state -> ParkedReply? in
            switch state.registrations[token] {
            case .waiting(let reply):
                state.registrations[token] = .interrupted(caller)
                return reply
            case .beginning:
                state.registrations[token] = .interrupted(caller)
                return nil
            case .interrupted, nil:
                return nil
            }
        }
        if let reply { watch(reply, of: caller) }
    }
}
