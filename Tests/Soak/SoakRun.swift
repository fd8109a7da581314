import Foundation
import Synchronization
import TestSupport

/// One soak: two mounts of one bucket. The server of one mount is killed again and again.
final class SoakRun: Sendable {
    private let server: S3TestServer
    private let bucket: SoakBucket
    private let disturbances: Disturbances
    private let mounts: [SoakMount]
    private let samples: [ProcessSamples]
    private let duration: Duration
    private let seed: UInt64
    private let tally = Mutex(Tally())

    /// The outcomes of all reads.
    private struct Tally {
        var readCount = 0
        var replacedCount = 0
        var explainedCount = 0
        var killCount = 0
        var failures: [String] = []
    }

    private static let readersPerMount = 4

    init(server: S3TestServer, directory: String, duration: Duration, seed: UInt64) throws {
        self.server = server
        self.duration = duration
        self.seed = seed
        let keyFile = directory + "/credentials"
        bucket = SoakBucket(server: server, seed: seed)
        disturbances = Disturbances(server: server, keyFile: keyFile, seed: seed &+ 1)
        try disturbances.prepare()
        mounts = try ["steady", "killed"].map { try SoakMount($0, of: server, in: directory, keyFile: keyFile) }
        samples = mounts.map { ProcessSamples($0) }
    }

    /// Runs the soak, and returns `true` if it passed.
    func run() throws -> Bool {
        let end = ContinuousClock.now + duration
        let readers = TestThreads(mounts.count * Self.readersPerMount) { [self] index in
            read(mounts[index / Self.readersPerMount], seed: seed &+ 100 &+ UInt64(index), until: end)
        }
        let others = TestThreads(4) { [self] index in
            while ContinuousClock.now < end { try act(index) }
        }
        let result = Result {
            try readers.wait(); try others.wait()
        }
        for mount in mounts { try mount.end() }
        try result.get()
        return try report()
    }

    private func act(_ index: Int) throws {
        switch index {
        case 0: try disturbances.makeTrouble()
        case 1:
            bucket.overwrite()
            bucket.move()
            sleep(.milliseconds(700))
        case 2:
            sleep(.seconds(Double.random(in: 4...20)))
            mounts[1].killServer()
            tally.withLock { $0.killCount += 1 }
        default:
            samples.forEach { $0.take() }
            dropPageCache()
            // The log of an hour would fill the memory.
            server.clearLog()
            sleep(.seconds(1))
        }
    }

    /// Drops the kernel's page cache at intervals. Works for root only, and is harmless otherwise.
    private func dropPageCache() {
        if Int.random(in: 0..<20) == 0 {
            try? "1".write(toFile: "/proc/sys/vm/drop_caches", atomically: false, encoding: .utf8)
        }
    }

    private func read(_ mount: SoakMount, seed: UInt64, until end: ContinuousClock.Instant) {
        var reading = Reading(bucket: bucket, mountPoint: mount.mountPoint, generator: SeededGenerator(seed: seed))
        while ContinuousClock.now < end {
            let start = ContinuousClock.now
            do {
                switch Int.random(in: 0..<10, using: &reading.generator) {
                case 0..<4: try reading.readPieces()
                case 4..<7: try reading.readOn()
                case 7: try reading.map()
                default: try reading.walk()
                }
                tally.withLock { $0.readCount += 1 }
            } catch {
                note(error, of: mount, since: start)
            }
        }
    }

    private func note(_ error: any Error, of mount: SoakMount, since start: ContinuousClock.Instant) {
        let isExplained = disturbances.explain(from: start, to: .now)
        let text = "\(mount.name): \(error)"
        tally.withLock { tally in
            switch error {
            case SoakFailure.replaced: tally.replacedCount += 1
            case SoakFailure.refused where isExplained: tally.explainedCount += 1
            default: tally.failures.append(text)
            }
        }
        if case SoakFailure.refused = error, isExplained { usleep(100_000) }
    }

    private func report() throws -> Bool {
        let tally = tally.withLock { $0 }
        tell("\(tally.readCount) readings were right, \(tally.replacedCount) were told of a replaced object,")
        tell("\(tally.explainedCount) failed while there was trouble, \(tally.failures.count) failed without;")
        print(
            "soak: \(tally.killCount) kills; troubles: \(disturbances.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))"
        )
        tally.failures.prefix(40).forEach { tell("FAILED: \($0)") }
        var isGood = tally.failures.isEmpty && tally.readCount > 0
        for (mount, samples) in zip(mounts, samples) {
            try samples.table.write(toFile: "soak-\(mount.name).csv", atomically: true, encoding: .utf8)
            try mount.log.write(toFile: "soak-\(mount.name).log", atomically: true, encoding: .utf8)
            // The memory of a server that is killed again and again proves nothing.
            if mount.name != "killed", !tellGrowth(of: samples) { isGood = false }
        }
        return isGood
    }

    /// Reports the growth, and returns `true` if there was none.
    private func tellGrowth(of samples: ProcessSamples) -> Bool {
        guard let growths = samples.growths else {
            tell("too short to tell whether anything grows: give 10 minutes at least")
            return true
        }
        growths.forEach { tell("FAILED: \($0)") }
        return growths.isEmpty
    }
}
