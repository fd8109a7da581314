import ObjectStore
import S3Client
import Settings
import SystemSupport

/// Checks that objects can be read. The permission to list doesn't include it.
struct ReadCheck: Check {
    let access: BucketAccess
    /// Some objects below the prefix.
    let objects: [ListedObject]

    var name: CheckName { .read }
    var limit: Duration { .seconds(40) }

    /// The number of objects to try: if one turns out to be archived, others may not be.
    private static let attemptCount = 3
    /// The number of bytes to read.
    private static let byteCount = 4_096

    func run() -> CheckResult<[ObjectVersion]> {
        if objects.isEmpty { return CheckResult(.skipped(name, because: "no object was found"), nil) }
        let filled = objects.filter { $0.version.byteCount > 0 }
        let readable = filled.filter { !$0.isArchived }.map(\.version)
        if readable.isEmpty {
            return filled.isEmpty
                ? CheckResult(.skipped(name, because: "the first \(objects.count) objects are empty"), nil)
                : CheckResult(
                    .warning(
                        name, "the first \(filled.count) objects are archived, and can't be read",
                        advice: "have them restored (aws s3api restore-object), or look elsewhere in the bucket"), nil)
        }
        return access.withClient(connectionLimit: 1) { read(readable, from: $0) }
    }

    private func read(_ readable: [ObjectVersion], from client: S3Client) -> CheckResult<[ObjectVersion]> {
        var finding = Finding.skipped(name, because: "no object was found")
        for object in readable.prefix(Self.attemptCount) {
            let uri = "s3://\(access.settings.uri.bucket)/\(object.key)"
            do throws(StoreError) {
                let range = 0..<min(object.byteCount, Self.byteCount)
                try client.fetch(RangeRequest(object: object, range: range), deadline: access.deadline)
                return CheckResult(.ok(name, "\(uri) can be read"), readable)
            } catch {
                finding = .failure(name, Failure("can't read \(uri): \(error)\(advice(on: error))"))
                if error.code != .archived { break }
            }
        }
        return CheckResult(finding, nil)
    }

    private func advice(on error: StoreError) -> String {
        // S3 gives no other reason for an object that is encrypted with a customer's key.
        if error.code == .refused, access.settings.configuration.customerKey == nil {
            return "; if the objects are encrypted with a key of your own (SSE-C), give --sse-c-key-file"
        }
        return error.advice(credentialsSource: access.signing.source)
    }
}
