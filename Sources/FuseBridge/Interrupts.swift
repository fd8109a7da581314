import CFuse
import Synchronization

/// The parked replies whose requests may be interrupted, by tokens.
///
/// libfuse hands a pointer back when a request is interrupted, perhaps just when the request is being answered on another
/// thread. So it gets a number to look up here rather than a pointer to something that may be gone.
final class Interrupts: Sendable {
    /// The name of a registration. Never used twice, never 0 (which would be a null pointer).
    typealias Token = UInt

    private enum Registration {
        /// libfuse is just being told; it may report an interrupt on this same thread, in the middle of that call.
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
                let interrupts = FuseSession.of(request).interrupts
                interrupts.report(
                    Token(bitPattern: token), Caller(of: request, isForeign: interrupts.isForeign))
            }, UnsafeMutableRawPointer(bitPattern: token))
        return token
    }

    /// From now on an interrupt has the caller of `reply` watched. Returns the caller if one has come already.
    func finishRegistering(_ token: Token, _ reply: ParkedReply) -> Caller? {
        state.withLock { state in
            if case .interrupted(let caller) = state.registrations[token] { return caller }
            state.registrations[token] = .waiting(reply)
            return nil
        }
    }

    /// Forgets a registration.
    func remove(_ token: Token) {
        state.withLock { $0.registrations[token] = nil }
    }

    /// Ends the wait of `reply` as soon as the signals of its caller say so.
    func watch(_ reply: ParkedReply, of caller: Caller) {
        watch.add(reply, of: caller)
    }

    /// Begins to watch. To be called before any request is taken.
    func begin() {
        watch.begin()
    }

    /// Watches no request any more. To be called when all are answered.
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
