import Foundation
import ObjectStore
import SystemPackage
import Synchronization
import TestSupport

/// Readers that read one new file after the other, and repeat a read that is refused.
final class SteadyReads: Sendable {
    /// The results of a reader's reads.
    struct Count {
        var successCount = 0
        /// Reads that failed with `EACCES`.
        var refusalCount = 0
    }

    private struct State {
        var counts: [Count]
        var isEnded = false
    }

    private let state: Mutex<State>
    private let threads = Mutex<TestThreads?>(nil)

    /// Starts the readers.
    ///
    /// - Parameter fileCount: How many files there are: `f0` and so on, each the pattern of its number, 3,000 bytes.
    init(of mountPoint: String, readerCount: Int, fileCount: Int) {
        state = Mutex(State(counts: Array(repeating: Count(), count: readerCount)))
        let started = TestThreads(readerCount) { [self] reader in
            for index in stride(from: reader, to: fileCount, by: readerCount) {
                let path = "\(mountPoint)/f\(index)"
                while try !isRead(path, .pattern(seed: UInt64(index), byteCount: 3_000), by: reader) {
                    if isEnded { return }
                    usleep(20_000)
                }
                if isEnded { return }
                usleep(20_000)
            }
        }
        threads.withLock { $0 = started }
    }

    /// The results so far, of each reader.
    var counts: [Count] { state.withLock { $0.counts } }

    /// Ends the readers, and throws the error of one of them: wrong bytes, or another errno than `EACCES`.
    func end() throws {
        state.withLock { $0.isEnded = true }
        try threads.withLock { $0.take() }?.wait()
    }

    private var isEnded: Bool { state.withLock { $0.isEnded } }

    private func isRead(_ path: String, _ body: ObjectBody, by reader: Int) throws -> Bool {
        do {
            try checkWhole(path, body)
            state.withLock { $0.counts[reader].successCount += 1 }
            return true
        } catch let error as Errno where error == .permissionDenied {
            state.withLock { $0.counts[reader].refusalCount += 1 }
            return false
        }
    }
}
