import Logging
import ObjectStore
import S3Client
import SystemSupport

/// What checks that ask for objects need: where they are, and what to sign with.
struct BucketAccess: Sendable {
    let settings: StoreSettings
    let signing: Signing

    /// How long one request may take, retries included.
    static let timeout: Duration = .seconds(10)

    /// The latest end of a request that begins now.
    var deadline: RunningClock.Instant { .now + BucketAccess.timeout }

    /// Calls `body` with a client that is shut down afterwards.
    ///
    /// - Parameter connectionLimit: How many connections it may have at the most, within `--max-connections`.
    func withClient<Outcome>(connectionLimit: Int, _ body: (S3Client) -> Outcome) -> Outcome {
        var configuration = settings.configuration
        configuration.connectionLimit = min(connectionLimit, configuration.connectionLimit)
        let client = S3Client(
            configuration: configuration, credentials: signing.credentials,
            // What it could tell, the findings do.
            logger: Logger(label: "tractfs") { _ in SwiftLogNoOpLogHandler() })
        defer { client.shutdown() }
        return body(client)
    }
}
