import FileSystem
import Logging
import ObjectStore
import S3Client
import Settings
import SystemSupport

/// An object or a folder of a bucket to presign. This process signs the URLs.
struct PresignedBucket {
    /// The number of concurrent requests.
    private static let connectionLimit = 1

    private let settings: StoreSettings
    private let lifetime: Int
    private let requestTimeout: Duration
    private let credentials: CredentialsSession?
    private let client: S3Client

    /// Creates a client for the bucket of `settings`.
    ///
    /// - Parameters:
    ///   - lifetime: The validity of the URLs, in seconds.
    ///   - requestTimeout: The time limit of a request, retries included.
    init(_ settings: StoreSettings, lifetime: Int, requestTimeout: Duration) throws(SettingsError) {
        self.settings = settings
        self.lifetime = lifetime
        self.requestTimeout = requestTimeout
        // All failures are returned as errors.
        let logger = Logger(label: "tractfs") { _ in SwiftLogNoOpLogHandler() }
        if let chain = settings.credentials {
            credentials = CredentialsSession(chain, try chain.resolve(), logger: logger)
        } else {
            credentials = nil
        }
        var configuration = settings.configuration
        configuration.connectionLimit = Self.connectionLimit
        client = S3Client(configuration: configuration, credentials: credentials, logger: logger)
    }

    /// Ends all threads.
    func shutdown() {
        client.shutdown()
        credentials?.shutdown()
    }

    /// Signs a URL for the object.
    ///
    /// - Parameter withSize: `true` to include the size, which needs a request.
    func file(withSize: Bool) throws(Failure) -> PresignedFile {
        let key = settings.uri.prefix
        guard !key.bytes.isEmpty, !key.endsInDelimiter else {
            throw Failure("\(settings.uri) is a folder; give --recursive for URLs of all files in it")
        }
        return PresignedFile(key: key, byteCount: withSize ? try byteCount(of: key) : nil, url: try url(of: key))
    }

    /// Returns the size of the object; `nil` if the credentials don't permit to list.
    private func byteCount(of key: Key) throws(Failure) -> Int? {
        do throws(StoreError) {
            if let object = try object(key) { return object.version.byteCount }
        } catch {
            if error.code == .accessDenied { return nil }
            throw failure(error)
        }
        throw Failure("there is no object \(settings.uri); check the key (upper and lower case matter)")
    }

    private func object(_ key: Key) throws(StoreError) -> ListedObject? {
        let deadline = RunningClock.now + requestTimeout
        if client.listsInOrder {
            let page = try client.filledPage(
                ListRequest(prefix: key, isDelimited: true, limit: 1), deadline: deadline)
            // The key itself comes first among those with this prefix.
            if case .object(let object) = page.items.first, object.version.key == key { return object }
            if page.next == nil { return nil }
            do throws(StoreError) {
                return try client.description(of: key, deadline: deadline)
            } catch {
                // The credentials may permit to list but not to read: the listing decides.
                if error.code == .accessDenied { return nil }
                throw error
            }
        }
        return try client.description(of: key, deadline: deadline)
    }

    /// Calls `body` with each matching file of the folder.
    func forEachFile(
        matching patterns: KeyPatterns, _ body: (PresignedFile) throws(Failure) -> Void
    ) throws(Failure) {
        var request = ListRequest(prefix: settings.uri.root, isDelimited: false)
        var tokens: Set<ContinuationToken> = []
        while true {
            let page = try page(request)
            for case .object(let object) in page.items {
                let key = object.version.key
                // The marker of a folder is no file.
                guard !key.endsInDelimiter, patterns.match(Array(key.bytes.dropFirst(settings.uri.root.bytes.count)))
                else {
                    continue
                }
                try body(PresignedFile(key: key, byteCount: object.version.byteCount, url: try url(of: key)))
            }
            guard let next = page.next else { return }
            guard tokens.insert(next).inserted else {
                throw Failure("can't presign \(settings.uri): the listing comes back to a page that it has given")
            }
            request.continuation = next
        }
    }

    private func page(_ request: ListRequest) throws(Failure) -> ListPage {
        do throws(StoreError) {
            return try client.page(request, deadline: .now + requestTimeout)
        } catch {
            throw failure(error)
        }
    }

    private func url(of key: Key) throws(Failure) -> ObjectURL {
        do throws(StoreError) {
            return try client.url(of: key, lifetime: lifetime, deadline: .now + requestTimeout)
        } catch {
            throw failure(error)
        }
    }

    private func failure(_ error: StoreError) -> Failure {
        Failure("can't presign \(settings.uri): \(error)")
    }
}
