import SystemSupport

/// Records the history of a mount's counters, on a thread that takes one sample per period.
///
/// A sample takes some hundred microseconds, most of them for latency distributions: a ten-thousandth of a core at
/// first, and half of that each time that the period doubles (`History`).
final class HistoryRecorder: Sendable {
    private struct State {
        var history = History()
        var isEnding = false
    }

    private let state = Monitor(State())

    /// The history recorded so far.
    var history: History { state.look { $0.history } }

    /// Starts recording the samples that `sample` returns. It is called by one thread at a time.
    ///
    /// - Returns: The thread, to be joined after `end`.
    func start(_ sample: @escaping @Sendable () -> HistorySample) -> WorkerThread {
        WorkerThread { [state] in
            while true {
                let period = state.look { $0.history.period }
                state.wait(atMost: .seconds(period)) { $0.isEnding }
                if state.look({ $0.isEnding }) { return }
                let sample = sample()
                state.change { $0.history.append(sample) }
            }
        }
    }

    /// Ends the thread.
    func end() {
        state.change { $0.isEnding = true }
    }
}
