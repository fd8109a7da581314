import Foundation
import Synchronization

/// Threads for tests that mostly wait for other processes. They outnumber the cores, so that a test that waits leaves
/// its core to others. Swift's own threads are as many as the cores, and a test that waits on one of them blocks it.
public final class WaitingThreads: TaskExecutor {
    /// Two threads for each core.
    public static let shared = WaitingThreads(count: 2 * ProcessInfo.processInfo.activeProcessorCount)

    private let jobs = Mutex<[UnownedJob]>([])
    private let jobCount = DispatchSemaphore(value: 0)

    /// Starts the threads, which never end.
    private init(count: Int) {
        for _ in 0..<count { Thread.detachNewThread { [self] in run() } }
    }

    /// Has one of the threads run a job.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        jobCount.signal()
    }

    private func run() {
        while true {
            jobCount.wait()
            jobs.withLock { $0.removeFirst() }.runSynchronously(on: asUnownedTaskExecutor())
        }
    }
}
