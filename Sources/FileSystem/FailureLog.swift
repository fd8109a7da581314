import Logging
import ObjectStore
import Synchronization

/// Tells a person of failures of the store: each kind once in a while with how often it came, not once a request. What may not
/// be read is told of each folder, since rights differ between folders.
final class FailureLog: Sendable {
    /// How long a kind stays silent after it was told of.
    private static let interval: Duration = .seconds(30)

    private struct Silence {
        var end: ContinuousClock.Instant
        var suppressedCount = 0
    }

    private let logger: Logger
    /// A kind of failure.
    private struct Kind: Hashable {
        let code: StoreError.Code
        /// Where it was met; `nil` where that doesn't matter.
        var folder: Key?
    }

    /// So many kinds are told apart; a walk through a bucket may meet thousands of folders that can't be read.
    static let kindLimit = 64

    private let silences = Mutex<[Kind: Silence]>([:])

    init(logger: Logger) {
        self.logger = logger
    }

    /// Notes that `error` was met while an application wanted `key`.
    func note(_ error: StoreError, wanting key: Key) {
        switch error.code {
        // The mount is ending, which is no failure.
        case .cancelled: return
        // Whoever keeps the credentials has told it, once.
        case .credentialsRejected, .credentialsExpired: return
        default: break
        }
        let now = ContinuousClock.now
        let folder = error.code == .accessDenied ? key.folderPrefix : nil
        let suppressedCount = silences.withLock { silences -> Int? in
            let kind = Kind(code: error.code, folder: silences.count < FailureLog.kindLimit ? folder : nil)
            if let known = [kind, Kind(code: error.code, folder: folder)].first(where: {
                now < silences[$0]?.end ?? now
            }) {
                silences[known]?.suppressedCount += 1
                return nil
            }
            defer { silences[kind] = Silence(end: now + FailureLog.interval) }
            return silences[kind]?.suppressedCount ?? 0
        }
        guard let suppressedCount else { return }
        var metadata: Logger.Metadata = ["key": "\(key)"]
        if suppressedCount > 0 { metadata["unreported since the last such line"] = "\(suppressedCount)" }
        logger.warning("\(error)", metadata: metadata)
    }
}
