import Logging
import ObjectStore
import Synchronization

/// Tells a person of failures of the store: each kind once in a while with how often it came, not once a request.
final class FailureLog: Sendable {
    /// How long a kind stays silent after it was told of.
    private static let interval: Duration = .seconds(30)

    private struct Silence {
        var end: ContinuousClock.Instant
        var suppressedCount = 0
    }

    private let logger: Logger
    private let silences = Mutex<[StoreError.Code: Silence]>([:])

    init(logger: Logger) {
        self.logger = logger
    }

    /// Notes that `error` was met while an application wanted `key`.
    func note(_ error: StoreError, wanting key: Key) {
        // The mount is ending, which is no failure.
        if error.code == .cancelled { return }
        let now = ContinuousClock.now
        let suppressedCount = silences.withLock { silences -> Int? in
            if let silence = silences[error.code], now < silence.end {
                silences[error.code]?.suppressedCount += 1
                return nil
            }
            defer { silences[error.code] = Silence(end: now + FailureLog.interval) }
            return silences[error.code]?.suppressedCount ?? 0
        }
        guard let suppressedCount else { return }
        var metadata: Logger.Metadata = ["key": "\(key)"]
        if suppressedCount > 0 { metadata["unreported since the last such line"] = "\(suppressedCount)" }
        logger.warning("\(error)", metadata: metadata)
    }
}
