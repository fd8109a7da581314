import Synchronization

/// The line between the test server and its clients: how long it takes, and how much goes through it.
final class ServerLine: Sendable {
    private struct State {
        var latency = Latency.constant(.zero)
        var random = SeededGenerator(seed: 0)
        var overall: Pace?
        var bytesPerSecondOfConnection: Int?
    }

    private let state = Mutex(State())

    /// From now on answers come after this latency.
    func setLatency(_ latency: Latency, seed: UInt64) {
        state.withLock { ($0.latency, $0.random) = (latency, SeededGenerator(seed: seed)) }
    }

    /// The latency of the next answer.
    func nextLatency() -> Duration {
        state.withLock { $0.latency.next(using: &$0.random) }
    }

    /// From now on all connections together, and each by itself, send so many bytes a second at the most.
    func setBandwidth(overall: Int?, perConnection: Int?) {
        state.withLock {
            $0.overall = overall.map(Pace.init)
            $0.bytesPerSecondOfConnection = perConnection
        }
    }

    /// Returns the limits for a response that begins now.
    func paces() -> [Pace] {
        state.withLock { [$0.overall, $0.bytesPerSecondOfConnection.map(Pace.init)].compactMap(\.self) }
    }
}
