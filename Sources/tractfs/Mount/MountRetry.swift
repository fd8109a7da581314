import Diagnostics
import Glibc
import ObjectStore
import S3Client
import SystemSupport

/// Repeats the start of a mount until the network is up (`--retry`).
struct MountRetry {
    /// The time for all attempts; zero for a single one.
    private let limit: Duration
    private let end: RunningClock.Instant

    /// The time between two attempts.
    private static let pause: Duration = .seconds(1)

    /// Starts the time for all attempts.
    init(limit: Duration) {
        self.limit = limit
        end = .now + limit
    }

    /// The time limit of one attempt to list the root.
    var rootLimit: Duration {
        limit == .zero ? RootCheck.timeout : min(RootCheck.timeout, max(end - .now, .seconds(1)))
    }

    /// Returns the result of the first successful attempt. Repeats an attempt only after a transient failure.
    ///
    /// - Parameter wait: Called with the reason before each further attempt.
    func run<Value>(_ attempt: () throws -> Value, wait: (String) throws -> Void) throws -> Value {
        while true {
            do {
                return try attempt()
            } catch {
                guard limit > .zero, Self.isTransient(error) else { throw error }
                guard .now + Self.pause < end else {
                    throw Failure("\(error) (tried for \(limit.components.seconds) s)")
                }
                try wait("\(error)")
            }
            usleep(UInt32(Self.pause / .microseconds(1)))
        }
    }

    private static func isTransient(_ error: any Error) -> Bool {
        (error as? Failure)?.isTransient ?? (error as? SettingsError)?.isTransient ?? false
    }
}
