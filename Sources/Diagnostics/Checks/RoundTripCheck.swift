import CommandOutput
import ObjectStore
import S3Client
import SystemSupport

/// Measures the time of the smallest request on an open connection.
struct RoundTripCheck: Check {
    let access: BucketAccess
    let object: ObjectVersion

    var name: CheckName { .roundTrip }
    var limit: Duration { .seconds(30) }

    /// Enough for a median that one slow answer doesn't change.
    private static let sampleCount = 9
    /// The time limit of all samples but the first.
    private static let samplingTime: Duration = .seconds(5)
    /// The time from which a warning is given: S3 answers within its region in 10 to 40 ms, and from another continent
    /// in 150 to 300 ms.
    private static let slow: Duration = .milliseconds(150)

    func run() -> CheckResult<Never> {
        access.withClient(connectionLimit: 1) { client in
            do throws(StoreError) {
                // Opens the connection.
                try ask(client)
                return CheckResult(finding(on: try samples(from: client).sorted()))
            } catch {
                return CheckResult(
                    .failure(name, Failure("\(error)\(error.advice(credentialsSource: access.signing.source))")))
            }
        }
    }

    private func ask(_ client: S3Client) throws(StoreError) {
        try client.fetch(RangeRequest(object: object, range: 0..<1), deadline: access.deadline)
    }

    private func samples(from client: S3Client) throws(StoreError) -> [Duration] {
        let begin = ContinuousClock.now
        var samples: [Duration] = []
        while samples.count < Self.sampleCount, samples.isEmpty || ContinuousClock.now - begin < Self.samplingTime {
            let start = ContinuousClock.now
            try ask(client)
            samples.append(.now - start)
        }
        return samples
    }

    private func finding(on sorted: [Duration]) -> Finding {
        let median = sorted[sorted.count / 2]
        let message = "one byte comes in \(median.milliseconds.rounded(.up).formatted) ms (median of \(sorted.count))"
        let values: [(name: String, value: JSONObject.Value)] = [
            ("milliseconds", .real(median.milliseconds)), ("requests", .number(sorted.count)),
        ]
        if median < Self.slow { return .ok(name, message, values: values) }
        return .warning(
            name, message, advice: "the store is far away or busy: work on a machine in the bucket's region",
            values: values)
    }
}

extension Double {
    /// The number without a fraction.
    fileprivate var formatted: String { "\(Int(self))" }
}
