import FileSystem
import Logging
import ObjectStore
import S3Client
import SystemSupport

/// An object or a folder of a bucket that URLs are wanted of. They are signed here.
struct PresignedBucket {
    /// One request at a time is asked for.
    private static let connectionLimit = 1

    private let settings: StoreSettings
    private let lifetime: Int
    private let requestTimeout: Duration
    private let credentials: CredentialsSession?
    private let client: S3Client

    /// - Parameters:
    ///   - lifetime: How long the URLs are to work, in seconds.
    ///   - requestTimeout: How long a request may take, retries included.
    init(_ settings: StoreSettings, lifetime: Int, requestTimeout: Duration) throws(SettingsError) {
        self.settings = settings
        self.lifetime = lifetime
        self.requestTimeout = requestTimeout
        // What matters comes back as an error.
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

    /// Ends what was begun.
    func shutdown() {
        client.shutdown()
        credentials?.shutdown()
    }

    /// The object.
    ///
    /// - Parameter withSize: Whether its size is wanted too, which must be asked for.
    func file(withSize: Bool) throws(Failure) -> PresignedFile {
        let key = settings.uri.prefix
        guard !key.bytes.isEmpty, !key.endsInDelimiter else {
            throw Failure("\(settings.uri) is a folder; give --recursive for URLs of all files in it")
        }
        return PresignedFile(key: key, byteCount: withSize ? try byteCount(of: key) : nil, url: try url(of: key))
    }

    /// `nil` where the keys may not list.
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
            // Of all keys that begin so it is the first, in the order of keys.
            if case .object(let object) = page.items.first, object.version.key == key { return object }
            if page.next == nil { return nil }
            do throws(StoreError) {
                return try client.description(of: key, deadline: deadline)
            } catch {
                // The keys may list and not read: the listing decides.
                if error.code == .accessDenied { return nil }
                throw error
            }
        }
        return try client.description(of: key, deadline: deadline)
    }

    /// Calls `body` with each file of the folder that matches.
    func forEachFile(
        matching patterns: KeyPatterns, _ body: (PresignedFile) throws(Failure) -> Void
    ) throws(Failure) {
        var request = ListRequest(prefix: settings.uri.root, isDelimited: false)
        var tokens: Set<ContinuationToken> = []
        while true {
            let page = try page(request)
            for case .object(let object) in page.items {
                let key = object.version.key
                // A folder's marker is no file.
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
