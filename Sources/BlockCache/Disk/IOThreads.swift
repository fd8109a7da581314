import DequeModule
import Synchronization
import SystemSupport

/// The threads that read from the disk on behalf of callers that must not block.
///
/// The callers bound the queue: a load or a completion holds the memory that it fills or writes, and an object is
/// checked once at a time.
final class IOThreads: Sendable {
    /// Enough threads to keep a disk busy, and no more: each works on one file at a time.
    private static let threadCount = 4

    private typealias Job = @Sendable () -> Void

    private struct Queue {
        var jobs: Deque<Job> = []
        /// Jobs that are not waited for and may take long. One runs at a time, so that the other threads stay free.
        var backgroundJobs: Deque<Job> = []
        var isInBackground = false
        var isEnding = false
    }

    private let queue = Monitor(Queue())
    private let threads = Mutex<[WorkerThread]>([])

    /// Starts the threads.
    ///
    /// - Parameter didFinish: Called after every job, when everything that it held has been released.
    init(didFinish: @escaping @Sendable () -> Void) {
        let queue = queue
        let started = (0..<IOThreads.threadCount).map { _ in
            WorkerThread {
                while IOThreads.perform(queue.wait(IOThreads.next), from: queue) { didFinish() }
            }
        }
        threads.withLock { $0 = started }
    }

    /// Runs `job` on one of the threads.
    ///
    /// - Parameter inBackground: Runs the job after all jobs that are waited for.
    /// - Returns: `false` if the threads have ended; the job isn't run then.
    func run(inBackground: Bool = false, _ job: @escaping @Sendable () -> Void) -> Bool {
        queue.change { queue in
            guard !queue.isEnding else { return false }
            if inBackground { queue.backgroundJobs.append(job) } else { queue.jobs.append(job) }
            return true
        }
    }

    /// The number of queued background jobs.
    var backgroundJobCount: Int {
        queue.look { $0.backgroundJobs.count }
    }

    /// `true` if the threads are to end soon: long jobs should stop.
    var isEnding: Bool {
        queue.look { $0.isEnding }
    }

    /// Ends the threads after the queued jobs, and waits for them.
    func end() {
        queue.change { $0.isEnding = true }
        for thread in threads.withLock({ exchange(&$0, with: []) }) { thread.join() }
    }

    private enum Command {
        case run(Job)
        case runInBackground(Job)
        case end
    }

    private static func next(_ queue: inout Queue) -> Command? {
        if let job = queue.jobs.popFirst() { return .run(job) }
        if !queue.isInBackground, let job = queue.backgroundJobs.popFirst() {
            queue.isInBackground = true
            return .runInBackground(job)
        }
        return queue.isEnding && queue.backgroundJobs.isEmpty ? .end : nil
    }

    private static func perform(_ command: consuming Command, from queue: Monitor<Queue>) -> Bool {
        switch command {
        case .run(let job):
            job()
        case .runInBackground(let job):
            job()
            queue.change { $0.isInBackground = false }
        case .end:
            return false
        }
        return true
    }
}
