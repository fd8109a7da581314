import CommandOutput
import ObjectStore
import S3Client
import Settings
import SystemSupport

/// Measures the bandwidth of several connections at once. Reads no more than needed: the requester may pay for it.
struct BandwidthCheck: Check {
    let access: BucketAccess
    /// The objects to read; some of them only in part.
    let objects: [ObjectVersion]

    var name: CheckName { .bandwidth }
    var limit: Duration { .seconds(30) }

    private static let connectionCount = 16
    /// The size of a request: small enough for all connections to have one.
    private static let partByteCount = 1 << 20
    /// The most bytes to request. At 1 GB/s they take 70 ms, still longer than a round trip.
    private static let byteLimit = 64 << 20
    /// The fewest bytes that give a meaningful result.
    private static let byteCountMin = 1 << 20
    /// The time limit: the bytes that have arrived by then are the result.
    private static let timeLimit: Duration = .seconds(3)
    /// The bandwidth below which a warning is given: about that of one connection to S3 within a region. A gigabyte
    /// takes more than a minute and a half.
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
            // Cancels the requests in flight.
            client.shutdown()
            return CheckResult(finding(on: meter.reading))
        }
    }

    /// The requests, the biggest objects first.
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
            meter.wait(until: end) { $0.inFlightCount < Self.connectionCount }
            if ContinuousClock.now >= end || meter.reading.failure != nil { return }
            meter.begin()
            client.get(part, deadline: access.deadline, receiver: meter)
        }
        meter.wait(until: end) { $0.inFlightCount == 0 }
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

/// Counts the bytes of several GET requests.
private final class Meter: RangeReceiver {
    struct Reading {
        var inFlightCount = 0
        var byteCount = 0
        var failure: StoreError?
        let start = ContinuousClock.now
        var firstBytes: ContinuousClock.Instant?
        var firstByteCount = 0
        var lastBytes: ContinuousClock.Instant?

        /// The rate from the first bytes on, without the time of connecting; the rate of all the time if all bytes
        /// arrived at once.
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
        monitor.change { $0.inFlightCount += 1 }
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
            reading.inFlightCount -= 1
            if case .failure(let error) = result, error.code != .cancelled { reading.failure = error }
        }
    }

    /// Waits until `isEnough` returns `true`, or until `end`.
    func wait(until end: ContinuousClock.Instant, _ isEnough: (Reading) -> Bool) {
        while ContinuousClock.now < end, !monitor.look(isEnough) {
            monitor.wait(atMost: .milliseconds(50), until: isEnough)
        }
    }
}
