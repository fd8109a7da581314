import ObjectStore
import S3Client
import SystemSupport

/// Whether the prefix can be listed, and has something in it: what a mount asks before it begins.
struct ListCheck: Check {
    let access: BucketAccess

    var name: CheckName { .list }
    /// A mount's own limit, and some for the end of the threads.
    var limit: Duration { .seconds(20) }

    func run() -> CheckResult<[ListedObject]> {
        access.withClient(connectionLimit: 4) { client in
            let uri = access.settings.uri
            do throws(Failure) {
                let root = try RootCheck(store: client, uri: uri, credentialsSource: access.signing.source).run()
                if root.page.items.isEmpty {
                    return CheckResult(
                        .warning(name, "\(uri) can be listed, but the bucket is empty", advice: "check its name"), [])
                }
                let count = root.page.next == nil ? "" : "more than "
                let finding = Finding.ok(
                    name, "\(uri) can be listed, and has \(count)\(root.page.items.count) entries",
                    values: [("entries", .number(root.page.items.count)), ("complete", .bool(root.page.next == nil))])
                return CheckResult(finding, objects(below: root.page, of: client))
            } catch {
                return CheckResult(.failure(name, error), nil)
            }
        }
    }

    /// Some objects anywhere below the prefix; those of its own page where more may not be listed.
    private func objects(below page: ListPage, of client: S3Client) -> [ListedObject] {
        let request = ListRequest(prefix: access.settings.uri.root, isDelimited: false)
        let all = try? client.page(request, deadline: access.deadline)
        return (all ?? page).items.compactMap { item in
            guard case .object(let object) = item else { return nil }
            return object
        }
    }
}
