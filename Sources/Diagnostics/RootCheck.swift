package import ObjectStore
package import S3Client
import Settings
package import SystemSupport

/// Checks before a mount that its prefix can be listed and is not empty. This is the only request, and the permission
/// to list is the only one that it needs: ConnectomeDB's keys have no other.
package struct RootCheck {
    /// The default time limit: long enough for a retry, and short enough for a user who waits.
    package static let timeout: Duration = .seconds(10)

    let store: any ObjectStore
    let uri: S3URI
    /// The credentials of the requests and their source; `nil` for unsigned requests.
    let credentialsSource: String?
    /// The deadline of all requests together.
    private let deadline: RunningClock.Instant

    package init(store: any ObjectStore, uri: S3URI, credentialsSource: String?, timeLimit: Duration = timeout) {
        deadline = .now + timeLimit
        self.store = store
        self.uri = uri
        self.credentialsSource = credentialsSource
    }

    /// The first page of the listing of the mount's root, which a reader of the root needs anyway.
    package struct RootPage {
        package let page: ListPage
        package let request: ListRequest
        package let askedAt: ContinuousClock.Instant
    }

    /// Lists the root.
    ///
    /// - Throws: If it can't be listed, or is empty.
    package func run() throws(Failure) -> RootPage {
        let askedAt = ContinuousClock.now
        let request = ListRequest(prefix: uri.root, isDelimited: true)
        let page = try list(request)
        // An empty bucket is mounted; a prefix without keys is a mistake.
        if page.items.isEmpty && !uri.root.bytes.isEmpty { throw try nothingThere() }
        return RootPage(page: page, request: request, askedAt: askedAt)
    }

    /// Returns the failure for a prefix without keys, with a hint.
    private func nothingThere() throws(Failure) -> Failure {
        // Without the "/" at its end, which the user may have typed.
        let name = Key(uri.root.bytes.dropLast())
        let first = try first(at: name)
        guard case .object(let object) = first, object.version.key == name else {
            let neighbor = first ?? sameInOtherCase(name)
            let hint = neighbor.map { ": there is s3://\(uri.bucket)/\($0.key)" } ?? ""
            return Failure("there is nothing under \(uri); check the prefix (keys are case-sensitive)\(hint)")
        }
        let folder = name.folderPrefix
        return Failure("\(uri) is a file; mount its folder instead: s3://\(uri.bucket)/\(folder)")
    }

    /// Returns the first item whose key begins with `name`; only the object itself if listings are unordered.
    private func first(at name: Key) throws(Failure) -> ListPage.Item? {
        if store.listsInOrder { return try list(ListRequest(prefix: name, isDelimited: true, limit: 1)).items.first }
        // Reading may be forbidden where listing is allowed.
        let object = try? store.description(of: name, deadline: deadline)
        return object.map { .object($0) }
    }

    /// Returns an item whose name differs only in the case of letters, among the first in the same folder.
    private func sameInOtherCase(_ name: Key) -> ListPage.Item? {
        // Listing the parent may be forbidden where listing the prefix is allowed.
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
                isTransient: error.code == .unreachable || error.code == .timedOut)
        }
    }
}
