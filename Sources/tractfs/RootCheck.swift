import ObjectStore
import S3Client
import SystemSupport

/// Asks the bucket, before anything is mounted, whether the prefix can be listed and has something in it. That is the only
/// right that is needed, and the only question: ConnectomeDB's keys may ask nothing else.
struct RootCheck {
    /// How long a mount command may try. Long enough for a retry, short enough for a person to wait for.
    static let timeout: Duration = .seconds(10)

    let store: any ObjectStore
    let uri: S3URI
    /// Which credentials requests are signed with, and where these are from; `nil` for unsigned requests.
    let credentialsSource: String?
    /// For all requests together.
    private let deadline: RunningClock.Instant

    init(store: any ObjectStore, uri: S3URI, credentialsSource: String?, timeLimit: Duration = timeout) {
        deadline = .now + timeLimit
        self.store = store
        self.uri = uri
        self.credentialsSource = credentialsSource
    }

    /// What the bucket said of the mount's root: the first page of its listing, which whoever looks at the root needs anyway.
    struct RootPage {
        let page: ListPage
        let request: ListRequest
        let askedAt: ContinuousClock.Instant
    }

    /// - Throws: What is wrong, and what to do.
    func run() throws(Failure) -> RootPage {
        let askedAt = ContinuousClock.now
        let request = ListRequest(prefix: uri.root, isDelimited: true)
        let page = try list(request)
        // An empty bucket is mounted; a prefix that nothing begins with is a mistake.
        if page.items.isEmpty && !uri.root.bytes.isEmpty { throw try nothingThere() }
        return RootPage(page: page, request: request, askedAt: askedAt)
    }

    /// Why nothing begins with the prefix.
    private func nothingThere() throws(Failure) -> Failure {
        // Without the "/" at its end, which the user may have typed.
        let name = Key(uri.root.bytes.dropLast())
        let first = try first(at: name)
        guard case .object(let object) = first, object.version.key == name else {
            let neighbour = first ?? sameInOtherCase(name)
            let hint = neighbour.map { ": there is s3://\(uri.bucket)/\($0.key)" } ?? ""
            return Failure("there is nothing under \(uri); check the prefix (keys are case-sensitive)\(hint)")
        }
        let folder = name.folderPrefix
        return Failure("\(uri) is a file; mount its folder instead: s3://\(uri.bucket)/\(folder)")
    }

    /// The first item whose key begins with `name`. Where listings come in no order, only the object itself.
    private func first(at name: Key) throws(Failure) -> ListPage.Item? {
        if store.listsInOrder { return try list(ListRequest(prefix: name, isDelimited: true, limit: 1)).items.first }
        // Who may list need not be allowed to read.
        let object = try? store.description(of: name, deadline: deadline)
        return object.map { .object($0) }
    }

    /// What is called so but for the case of letters, among the first in the same folder.
    private func sameInOtherCase(_ name: Key) -> ListPage.Item? {
        // Who may list the prefix may be forbidden to list what it is in.
        guard let page = try? list(ListRequest(prefix: name.folderPrefix, isDelimited: true)) else { return nil }
        return page.items.first { item in
            let wanted = item.key.endsInDelimiter ? name.appending([Key.delimiter]) : name
            return "\(item.key)".lowercased() == "\(wanted)".lowercased()
        }
    }

    private func list(_ request: ListRequest) throws(Failure) -> ListPage {
        do throws(StoreError) {
            return try store.filledPage(request, deadline: deadline)
        } catch {
            throw Failure(
                "can't list \(uri): \(error)\(error.advice(credentialsSource: credentialsSource))",
                mayPass: error.code == .unreachable || error.code == .timedOut)
        }
    }
}

extension StoreError {
    /// What a person can do about it, to be put behind the error; empty where there is nothing to be said.
    ///
    /// - Parameter source: Which credentials the request was signed with, and where these are from; `nil` for none.
    func advice(credentialsSource source: String?) -> String {
        switch code {
        case .noSuchBucket: "; check the bucket's name"
        // The client has said what can be done, but not whose credentials these are.
        case .accessDenied: source.map { " (\($0))" } ?? ""
        case .credentialsRejected: "; check the keys (\(source ?? "none"))"
        case .credentialsExpired: "; get new keys (these are \(source ?? "none"))"
        case .unreachable, .timedOut: "; check the network, --endpoint-url and the proxy settings"
        case .insecure: "; give the right certificates with --ca-bundle"
        case .wrongRegion: "; give the bucket's region with --region"
        case .malformedResponse: "; check --endpoint-url, and whether a proxy or login page is in between"
        case .throttled, .serverFault: "; try again"
        case .noSuchKey, .archived, .changed, .refused, .cancelled: ""
        }
    }
}
