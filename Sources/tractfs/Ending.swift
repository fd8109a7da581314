import FuseBridge
import Glibc
import Logging
import Synchronization

/// How a mount ends by a signal: detached first, so that nothing new comes, then the session.
final class Ending: Sendable {
    private enum Phase {
        case starting
        case serving(FuseSession)
        case ending
    }

    private struct State {
        var phase = Phase.starting
        /// Where the mount is, once it is there.
        var place: MountPlace?
        var isHandedOver = false
    }

    let logger: Logger
    private let state = Mutex(State())

    init(logger: Logger) {
        self.logger = logger
    }

    /// From now on there is something to be ended in order.
    func attach(_ session: FuseSession) {
        state.withLock { $0.phase = .serving(session) }
    }

    /// From now on there is a mount of ours.
    func noteMounted(_ place: MountPlace) {
        state.withLock { $0.place = place }
    }

    /// Where the mount is, once it is there.
    var place: MountPlace? { state.withLock { $0.place } }

    /// Whether the mount is left to the next server.
    var isHandedOver: Bool { state.withLock { $0.isHandedOver } }

    /// Ends the mount. As long as there is nothing to be kept in order, the process ends here and now.
    func begin() {
        guard let session = beginEnding(orExit: EXIT_FAILURE) else { return }
        detachIfMounted()
        session.end()
    }

    /// Leaves the mount to the next server, also where this one has not taken it yet.
    func handOver() {
        guard let session = beginEnding(orExit: HandOver.exitStatus) else { return }
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

    /// Sees to it that nothing stays mounted, however the session ended.
    func detachIfMounted() {
        let (place, isHandedOver) = state.withLock { ($0.place, $0.isHandedOver) }
        if !isHandedOver { place?.detach(logger: logger) }
    }
}
