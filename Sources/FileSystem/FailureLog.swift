import Logging
import ObjectStore
import Synchronization

/// Logs failures of the store: each kind at an interval, with the number of failures since, instead of once for each
/// request. Denied access is logged for each folder, since permissions differ between folders.
final class FailureLog: Sendable {
    /// The shortest time between two lines about one kind.
    private static let interval: Duration = .seconds(30)

    private struct Silence {
        var end: ContinuousClock.Instant
        var suppressedCount = 0
    }

    private let logger: Logger
    /// A kind of failure.
    private struct Kind: Hashable {
        let code: StoreError.Code
        /// The folder of the failure; `nil` for kinds that don't depend on it.
        var folder: Key?
    }

    /// The most kinds that are logged separately: a walk through a bucket may meet thousands of folders that can't be
    /// read.
    static let kindLimit = 64

    private let silences = Mutex<[Kind: Silence]>([:])

    init(logger: Logger) {
        self.logger = logger
    }

    /// Notes `error`, which an application met that uses `key`.
    func note(_ error: StoreError, wanting key: Key) {
        switch error.code {
        // The mount is ending, which is no failure.
        case .cancelled: return
        // The owner of the credentials logs these, once.
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
