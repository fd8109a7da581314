import Logging
import ObjectStore
import S3Client
import Settings
import SystemSupport

/// The bucket, and the credentials to sign requests with, for the checks that make requests.
struct BucketAccess: Sendable {
    let settings: StoreSettings
    let signing: Signing

    /// The time limit of a request, retries included.
    static let timeout: Duration = .seconds(10)

    /// The deadline of a request that begins now.
    var deadline: RunningClock.Instant { .now + BucketAccess.timeout }

    /// Calls `body` with a client, and then shuts it down.
    ///
    /// - Parameter connectionLimit: The most connections, within `--max-connections`.
    func withClient<Outcome>(connectionLimit: Int, _ body: (S3Client) -> Outcome) -> Outcome {
        var configuration = settings.configuration
        configuration.connectionLimit = min(connectionLimit, configuration.connectionLimit)
        let client = S3Client(
            configuration: configuration, credentials: signing.credentials,
            // The findings report its errors.
            logger: Logger(label: "tractfs") { _ in SwiftLogNoOpLogHandler() })
        defer { client.shutdown() }
        return body(client)
    }
}
