import Synchronization

/// The line between the test server and its clients, with its latency and bandwidth.
final class ServerLine: Sendable {
    private struct State {
        var latency = Latency.constant(.zero)
        var random = SeededGenerator(seed: 0)
        var overall: Pace?
        var bytesPerSecondOfConnection: Int?
    }

    private let state = Mutex(State())

    /// Sets the latency of responses.
    func setLatency(_ latency: Latency, seed: UInt64) {
        state.withLock { ($0.latency, $0.random) = (latency, SeededGenerator(seed: seed)) }
    }

    /// The latency of the next answer.
    func nextLatency() -> Duration {
        state.withLock { $0.latency.next(using: &$0.random) }
    }

    /// Limits the bandwidth of all connections together, and of each.
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
