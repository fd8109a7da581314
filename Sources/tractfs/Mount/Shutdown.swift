import FuseBridge
import Glibc
import Logging
import Mounting
import Supervision
import Synchronization

/// The end of a server by a signal: detaches the mount, so that no new requests arrive, and then ends the session.
final class Shutdown: Sendable {
    private enum Phase {
        case starting
        case serving(FuseSession)
        case ending
    }

    private struct State {
        var phase = Phase.starting
        /// The mount, once it exists.
        var mount: MountIdentity?
        var isHandedOver = false
    }

    let logger: Logger
    private let state = Mutex(State())

    init(logger: Logger) {
        self.logger = logger
    }

    /// Sets the session to end. Before that, a signal ends the process at once.
    func attach(_ session: FuseSession) {
        state.withLock { $0.phase = .serving(session) }
    }

    /// Sets the mount to detach.
    func noteMounted(_ mount: MountIdentity) {
        state.withLock { $0.mount = mount }
    }

    /// The mount, once it exists.
    var mount: MountIdentity? { state.withLock { $0.mount } }

    /// `true` if the mount is left to the next server.
    var isHandedOver: Bool { state.withLock { $0.isHandedOver } }

    /// Ends the mount, or the process if it doesn't serve yet.
    func begin() {
        guard let session = beginEnding(orExit: EXIT_FAILURE) else { return }
        detachIfMounted()
        session.end()
    }

    /// Leaves the mount to the next server, even if this server has not taken it over yet.
    func handOver() {
        guard let session = beginEnding(orExit: ServerProcess.handoverExitStatus) else { return }
        state.withLock { $0.isHandedOver = true }
        session.handOver()
    }

    private func beginEnding(orExit status: CInt) -> FuseSession? {
        state.withLock { state -> FuseSession? in
            switch state.phase {
            case .starting: exit(status)
            case .ending: return nil
            case .serving(let session):
                state.phase = .ending
                return session
            }
        }
    }

    /// Detaches the mount, unless it is left to the next server.
    func detachIfMounted() {
        let (mount, isHandedOver) = state.withLock { ($0.mount, $0.isHandedOver) }
        if !isHandedOver { mount?.detach(logger: logger) }
    }
}
