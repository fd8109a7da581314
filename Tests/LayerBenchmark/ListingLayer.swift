import BlockCache
import FileSystem
import Glibc
import Logging
import Namespace
import ObjectStore
import Reader
import S3Client
import StateLog
import Synchronization
import SystemSupport

/// The way of a directory's entries from the store's answer to what readdirplus replies, without network and kernel.
struct ListingLayer {
    private static let pageCount = 1_000
    private static let pageEntryCount = 1_000

    /// Measures reading the answers, then reading a directory of as many entries, first listed and then known.
    func measure() throws {
        try Measurement { try readAnswers() }.report("listing, answers read")
        let logged = try fileSystem(log: .create(logger: Logger(label: "LayerBenchmark")))
        try Measurement { try readDirectory(logged) }.report(
            "listing, entries listed, kept for a successor and replied")
        try Measurement { try readDirectory(logged) }.report("listing, entries known, kept for a successor and replied")
        let fileSystem = try fileSystem(log: nil)
        let residentBefore = Self.residentByteCount()
        try Measurement { try readDirectory(fileSystem) }.report("listing, entries listed and replied")
        let residentByteCount = Self.residentByteCount() - residentBefore
        try Measurement { try readDirectory(fileSystem) }.report("listing, entries known and replied")
        print("listing, resident memory\t\(Self.pageCount * Self.pageEntryCount)\t\(residentByteCount)")
    }

    private func readAnswers() throws -> Int {
        let answer = Array(Self.answer.utf8)
        var entryCount = 0
        for _ in 0..<Self.pageCount {
            let reader = ListPageReader(request: ListRequest(prefix: "folder/", isDelimited: true))
            // In pieces as large as libcurl's.
            for start in stride(from: 0, to: answer.count, by: 16 << 10) {
                let bytes = answer.span.extracting(start..<min(start + 16 << 10, answer.count))
                try bytes.withUnsafeBytes { try reader.receive($0.bytes) }
            }
            entryCount += try reader.finish().items.count
        }
        return entryCount
    }

    /// The answer of S3 and MinIO for a page of files.
    private static var answer: String {
        let contents = (0..<pageEntryCount).map { index in
            "<Contents><Key>folder/file\(1_000_000 + index).nii.gz</Key>"
                + "<LastModified>2020-05-24T01:02:03.000Z</LastModified>"
                + "<ETag>&quot;9b2cf535f27731c974343645a3985328&quot;</ETag><Size>\(index * 4_321)</Size>"
                + "<StorageClass>STANDARD</StorageClass></Contents>"
        }
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><Name>b</Name>"
            + "<IsTruncated>false</IsTruncated>" + contents.joined() + "</ListBucketResult>"
    }

    private func fileSystem(log: StateLog?) throws -> FileSystem {
        let store = PagedStore(pageCount: Self.pageCount, pageEntryCount: Self.pageEntryCount)
        let logger = Logger(label: "LayerBenchmark") { _ in SwiftLogNoOpLogHandler() }
        let namespace = Namespace(
            store: store, root: "", timeToLive: .forever, requestTimeout: .seconds(60), metadataByteLimit: 1 << 30,
            log: log, logger: logger)
        let cache = try BlockCache(byteLimit: 64 << 20)
        let reader = Reader(store: store, cache: cache, limits: ReaderLimits(readTimeout: .seconds(60)))
        let ownership = Ownership(userID: 0, groupID: 0, filePermissions: 0o444, directoryPermissions: 0o555)
        let options = FileSystem.Options(
            bucket: "bench", ownership: ownership, mountTime: Timestamp(seconds: 0), hasExtendedAttributes: false)
        return FileSystem(namespace: namespace, reader: reader, options: options, log: log, logger: logger)
    }

    /// Reads the root as readdirplus does. The store answers at once, so nothing has to be waited for.
    private func readDirectory(_ fileSystem: FileSystem) throws -> Int {
        let handle = try fileSystem.openDirectory(.root, mayBeCopied: false).handle
        defer { fileSystem.closeDirectory(handle) }
        let sum = Atomic<UInt64>(0)
        let cookie = Atomic<Int>(0)
        while true {
            let start = cookie.load(ordering: .relaxed)
            fileSystem.readDirectory(handle, from: start) { result in
                guard case .success(let chunk) = result else { return }
                // As many as the kernel's buffer of 32 KiB has room for.
                for index in 0..<min(chunk.count, 180) {
                    let listed = chunk[index]
                    let entry = chunk.lookup(listed)
                    listed.withName { name in
                        sum.add((entry?.id.rawValue ?? 0) & 1 + UInt64(name.count), ordering: .relaxed)
                    }
                    cookie.store(listed.cookie, ordering: .relaxed)
                }
            }
            if cookie.load(ordering: .relaxed) == start { return start }
        }
    }

    /// Returns the memory of the process in bytes (proc(5), `statm`).
    private static func residentByteCount() -> Int {
        let descriptor = unsafe open("/proc/self/statm", O_RDONLY)
        defer { _ = close(descriptor) }
        var text = [UInt8](repeating: 0, count: 128)
        let count = unsafe text.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        let fields = String(decoding: text.prefix(max(count, 0)), as: UTF8.self).split(separator: " ")
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * 4_096
    }
}

/// A store of one folder of many files, which answers listings at once.
private final class PagedStore: ObjectStore {
    private let pageCount: Int
    private let pageEntryCount: Int

    init(pageCount: Int, pageEntryCount: Int) {
        self.pageCount = pageCount
        self.pageEntryCount = pageEntryCount
    }

    func list(
        _ request: ListRequest, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) -> any StoreRequest {
        // A guessed position may be between two keys.
        let last = request.startAfter.flatMap { Int(String(decoding: $0.bytes.prefix(11).dropFirst(4), as: UTF8.self)) }
        let start = request.continuation.flatMap { Int($0.text) } ?? last.map { $0 - 1_000_000 + 1 } ?? 0
        let end = min(start + pageEntryCount, pageCount * pageEntryCount)
        let items = (start..<max(start, end)).map { index -> ListPage.Item in
            let digest = ETagDigest(high: 1, low: UInt64(index), partCount: 0)
            let version = ObjectVersion(
                key: Key("file\(1_000_000 + index).nii.gz"), etag: ETag(digest), byteCount: index)
            return .object(ListedObject(version: version, lastModified: Timestamp(seconds: 1_590_000_000)))
        }
        let next = end < pageCount * pageEntryCount ? ContinuationToken("\(end)") : nil
        completion(.success(ListPage(items: items, next: next)))
        return EndedRequest()
    }

    func head(
        _ key: Key, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void
    ) -> any StoreRequest {
        completion(.success(nil))
        return EndedRequest()
    }

    func get(
        _ request: RangeRequest, deadline: RunningClock.Instant, receiver: any RangeReceiver
    ) -> any StoreRequest {
        receiver.finish(.failure(StoreError(.noSuchKey, "there are no bytes")))
        return EndedRequest()
    }
}

/// A request that was answered before it could be cancelled.
private final class EndedRequest: StoreRequest {
    func cancel() {}
}
