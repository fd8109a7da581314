import SystemSupport

/// Keeps the history of what a mount counts, by a thread that looks once in each period.
///
/// A look takes some hundred microseconds, most of them for distributions of latencies: a ten-thousandth of a core at first,
/// and half of that each time that the period doubles (`History`).
final class HistoryRecorder: Sendable {
    private struct State {
        var history = History()
        var isEnding = false
    }

    private let state = Monitor(State())

    /// What was recorded so far.
    var history: History { state.look { $0.history } }

    /// Begins to record what `sample` makes, which is called by one thread at a time.
    ///
    /// - Returns: The thread, which is to be joined after `end`.
    func start(_ sample: @escaping @Sendable () -> HistorySample) -> WorkerThread {
        WorkerThread { [state] in
            while true {
                let period = state.look { $0.history.period }
                state.wait(nanoseconds: period * 1_000_000_000) { $0.isEnding }
                if state.look({ $0.isEnding }) { return }
                let sample = sample()
                state.change { $0.history.append(sample) }
            }
        }
    }

    /// Has the thread end.
    func end() {
        state.change { $0.isEnding = true }
    }
}
