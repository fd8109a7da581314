import Dispatch
import Logging
import ObjectStore
import S3Client
import Synchronization
import SystemSupport

/// The S3 client alone: all of an object in ranges, whose bytes are dropped.
struct ClientLayer {
    private static let rangeByteCount = 8 << 20

    private let client: S3Client
    private let object: ObjectVersion

    /// The client of a bucket with `object`, which signs its requests, as most mounts do.
    init(_ configuration: S3Configuration, _ object: ObjectVersion) {
        let keys = Credentials(accessKeyID: "bench", secretAccessKey: "bench-secret")
        client = S3Client(
            configuration: configuration, credentials: keys, logger: Logger(label: "LayerBenchmark"))
        self.object = object
    }

    /// Measures all ranges at once: as many are under way as there are connections, 64.
    func measure() throws {
        defer { client.shutdown() }
        try Measurement { try getAll() }.report("S3 client")
    }

    private func getAll() throws -> Int {
        let group = DispatchGroup()
        let deadline = RunningClock.now + .seconds(60)
        let receivers = stride(from: 0, to: object.byteCount, by: Self.rangeByteCount).map { start in
            let receiver = DroppingReceiver(group)
            let range = start..<min(start + Self.rangeByteCount, object.byteCount)
            client.get(RangeRequest(object: object, range: range), deadline: deadline, receiver: receiver)
            return receiver
        }
        group.wait()
        return try receivers.reduce(0) { sum, receiver in try sum + receiver.outcome.get() }
    }
}

/// Counts the bytes that it gets.
private final class DroppingReceiver: RangeReceiver {
    private struct Progress {
        var byteCount = 0
        var failure: StoreError?
    }

    private let progress = Mutex(Progress())
    private let group: DispatchGroup

    /// A receiver that `group` waits for.
    init(_ group: DispatchGroup) {
        self.group = group
        group.enter()
    }

    /// How many bytes came, once it has ended.
    var outcome: Result<Int, StoreError> {
        progress.withLock { progress in progress.failure.map { .failure($0) } ?? .success(progress.byteCount) }
    }

    func receive(_ bytes: RawSpan, at offset: Int) {
        let byteCount = bytes.byteCount
        progress.withLock { $0.byteCount += byteCount }
    }

    func finish(_ result: Result<Void, StoreError>) {
        if case .failure(let error) = result { progress.withLock { $0.failure = error } }
        group.leave()
    }
}
