import Glibc
import ObjectStore
import S3Client
import SystemSupport

/// Begins a mount again and again while the network is still coming up (`--retry`).
struct MountRetry {
    /// The time for all attempts; zero for a single one.
    private let limit: Duration
    private let end: RunningClock.Instant

    /// The time between two attempts.
    private static let pause: Duration = .seconds(1)

    /// The time for all attempts begins now.
    init(limit: Duration) {
        self.limit = limit
        end = .now + limit
    }

    /// The time for one attempt to list the root.
    var rootLimit: Duration {
        limit == .zero ? RootCheck.timeout : min(RootCheck.timeout, max(end - .now, .seconds(1)))
    }

    /// Returns what an attempt succeeds with. Only failures that may pass lead to another one.
    ///
    /// - Parameter wait: Called with the reason before there is another attempt.
    func run<Value>(_ attempt: () throws -> Value, wait: (String) throws -> Void) throws -> Value {
        while true {
            do {
                return try attempt()
            } catch {
                guard limit > .zero, Self.mayPass(error) else { throw error }
                guard .now + Self.pause < end else {
                    throw Failure("\(error) (tried for \(limit.components.seconds) s)")
                }
                try wait("\(error)")
            }
            usleep(UInt32(Self.pause / .microseconds(1)))
        }
    }

    private static func mayPass(_ error: any Error) -> Bool {
        (error as? Failure)?.mayPass ?? (error as? SettingsError)?.mayPass ?? false
    }
}
