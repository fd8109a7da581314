import Foundation
import Synchronization

/// The resources used by the processes of a mount over time.
final class ProcessSamples: Sendable {
    /// The resources of all processes together at one time.
    struct Sample: Sendable {
        let seconds: Double
        let residentByteCount: Int
        let descriptorCount: Int
        let threadCount: Int
    }

    private let mount: SoakMount
    private let start = ContinuousClock.now
    private let samples = Mutex<[Sample]>([])

    init(_ mount: SoakMount) {
        self.mount = mount
    }

    /// Takes a sample, unless a process is missing.
    func take() {
        let processes = mount.processIDs
        let statuses = processes.compactMap { status(of: $0) }
        guard !statuses.isEmpty, statuses.count == processes.count else { return }
        let sample = Sample(
            seconds: (ContinuousClock.now - start) / .seconds(1),
            residentByteCount: statuses.reduce(0) { $0 + ($1["VmRSS"] ?? 0) << 10 },
            descriptorCount: processes.reduce(0) { $0 + descriptorCount(of: $1) },
            threadCount: statuses.reduce(0) { $0 + ($1["Threads"] ?? 0) })
        samples.withLock { $0.append(sample) }
    }

    private func status(of process: Int32) -> [String: Int]? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/status") else { return nil }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map { $0.split(separator: ":") }
        return Dictionary(
            lines.compactMap { $0.count == 2 ? ("\($0[0])", Int($0[1].filter(\.isNumber)) ?? 0) : nil },
            uniquingKeysWith: { first, _ in first })
    }

    private func descriptorCount(of process: Int32) -> Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count) ?? 0
    }

    /// All samples as comma-separated values.
    var table: String {
        samples.withLock { $0 }.reduce("seconds,resident_bytes,descriptors,threads\n") { text, sample in
            text + "\(sample.seconds),\(sample.residentByteCount),\(sample.descriptorCount),\(sample.threadCount)\n"
        }
    }

    /// The time that a mount may grow until it has all that it needs.
    private static let settlingSeconds = 300.0

    /// The resources that grew after the mount had settled, one sentence each: the maxima of the first third of the
    /// remaining time are compared with those of the last third. `nil` if the run was too short.
    var growths: [String]? {
        let settled = samples.withLock { samples in samples.filter { $0.seconds > Self.settlingSeconds } }
        let third = settled.count / 3
        if third < 60 { return nil }
        let (early, late) = (settled.prefix(third), settled.suffix(third))
        func growth(_ what: String, allowance: Int, _ value: (Sample) -> Int) -> String? {
            let (before, after) = (early.map(value).max() ?? 0, late.map(value).max() ?? 0)
            return after > before + max(before / 10, allowance) ? "\(what) grew from \(before) to \(after)" : nil
        }
        return [
            growth("resident memory", allowance: 8 << 20, \.residentByteCount),
            growth("the number of descriptors", allowance: 8, \.descriptorCount),
            growth("the number of threads", allowance: 2, \.threadCount),
        ].compactMap { $0 }
    }
}
