import ObjectStore
import S3Client
import SystemSupport

/// How fast bytes come, on several connections at once. Reads no more than it must: somebody may pay for it.
struct BandwidthCheck: Check {
    let access: BucketAccess
    /// What may be read; of some it the beginning.
    let objects: [ObjectVersion]

    var name: CheckName { .bandwidth }
    var limit: Duration { .seconds(30) }

    private static let connectionCount = 16
    /// Small enough for all connections to take part.
    private static let partByteCount = 1 << 20
    /// At most so much is asked for. At 1 GB/s it is over in a blink, and yet longer than a round trip.
    private static let byteLimit = 64 << 20
    /// Less tells nothing.
    private static let byteCountMin = 1 << 20
    /// Then what has come must do.
    private static let timeLimit: Duration = .seconds(3)
    /// About what one connection to S3 brings within a region; a gigabyte takes more than a minute and a half.
    private static let slowBytesPerSecond = 10 << 20

    func run() -> CheckResult<Never> {
        let parts = self.parts
        let byteCount = parts.reduce(0) { $0 + $1.range.count }
        guard byteCount >= Self.byteCountMin else {
            return CheckResult(
                .skipped(name, because: "the objects that were found are too small to measure anything"))
        }
        return access.withClient(connectionLimit: Self.connectionCount) { client in
            let meter = Meter()
            fetch(parts, from: client, meter: meter)
            // What is still under way is of no use any more.
            client.shutdown()
            return CheckResult(finding(on: meter.reading))
        }
    }

    /// What to ask for, the biggest objects first.
    private var parts: [RangeRequest] {
        var parts: [RangeRequest] = []
        var byteCount = 0
        for object in objects.sorted(by: { $0.byteCount > $1.byteCount }) {
            for start in stride(from: 0, to: object.byteCount, by: Self.partByteCount) {
                guard byteCount < Self.byteLimit else { return parts }
                let range = start..<min(start + Self.partByteCount, object.byteCount)
                parts.append(RangeRequest(object: object, range: range))
                byteCount += range.count
            }
        }
        return parts
    }

    private func fetch(_ parts: [RangeRequest], from client: S3Client, meter: Meter) {
        let end = ContinuousClock.now + Self.timeLimit
        for part in parts {
            meter.wait(until: end) { $0.underWayCount < Self.connectionCount }
            if ContinuousClock.now >= end || meter.reading.failure != nil { return }
            meter.begin()
            client.get(part, deadline: access.deadline, receiver: meter)
        }
        meter.wait(until: end) { $0.underWayCount == 0 }
    }

    private func finding(on reading: Meter.Reading) -> Finding {
        if let failure = reading.failure, reading.byteCount < Self.byteCountMin {
            return .failure(
                name, Failure("\(failure)\(failure.advice(credentialsSource: access.signing.source))"))
        }
        let rate = reading.bytesPerSecond
        let message =
            "\(ByteCount(rate).rounded)/s on up to \(min(Self.connectionCount, access.settings.configuration.connectionLimit)) "
            + "connections (\(ByteCount(reading.byteCount).rounded) were read)"
        let values: [(name: String, value: JSONObject.Value)] = [
            ("bytes_per_second", .number(rate)), ("bytes", .number(reading.byteCount)),
        ]
        if rate >= Self.slowBytesPerSecond { return .ok(name, message, values: values) }
        return .warning(
            name, message, advice: "big files will take long: work on a machine in the bucket's region", values: values)
    }
}

/// Counts the bytes of several GETs.
private final class Meter: RangeReceiver {
    struct Reading {
        var underWayCount = 0
        var byteCount = 0
        var failure: StoreError?
        let start = ContinuousClock.now
        var firstBytes: ContinuousClock.Instant?
        var firstByteCount = 0
        var lastBytes: ContinuousClock.Instant?

        /// From the first bytes on: what went before is connecting. Where all came at once, that is all there is.
        var bytesPerSecond: Int {
            guard let firstBytes, let lastBytes else { return 0 }
            let isSpread = lastBytes > firstBytes && byteCount > firstByteCount
            let time = isSpread ? lastBytes - firstBytes : lastBytes - start
            let count = isSpread ? byteCount - firstByteCount : byteCount
            return Int(Double(count) / max(time / .seconds(1), 1e-6))
        }
    }

    private let monitor = Monitor(Reading())

    var reading: Reading { monitor.look { $0 } }

    func begin() {
        monitor.change { $0.underWayCount += 1 }
    }

    func receive(_ bytes: RawSpan, at offset: Int) {
        let count = bytes.byteCount
        monitor.change { reading in
            let now = ContinuousClock.now
            if reading.firstBytes == nil { (reading.firstBytes, reading.firstByteCount) = (now, count) }
            reading.lastBytes = now
            reading.byteCount += count
        }
    }

    func finish(_ result: Result<Void, StoreError>) {
        monitor.change { reading in
            reading.underWayCount -= 1
            if case .failure(let error) = result, error.code != .cancelled { reading.failure = error }
        }
    }

    /// Waits until `isEnough` holds, or `end`.
    func wait(until end: ContinuousClock.Instant, _ isEnough: (Reading) -> Bool) {
        while ContinuousClock.now < end, !monitor.look(isEnough) {
            monitor.wait(atMost: .milliseconds(50), until: isEnough)
        }
    }
}
