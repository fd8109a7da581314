import DequeModule
import Synchronization
import SystemSupport

/// The threads that read from the disk for those who don't wait there themselves.
///
/// What is queued is bounded by those who queue it: a load or a completion holds the memory that it fills or writes, and an
/// object is checked once at a time.
final class IOThreads: Sendable {
    /// Enough to keep a disk busy, and no more: each is at one file at a time.
    private static let threadCount = 4

    private typealias Job = @Sendable () -> Void

    private struct Queue {
        var jobs: Deque<Job> = []
        /// Jobs that nobody waits for and that may take long. One of them at a time: the other threads stay free.
        var backgroundJobs: Deque<Job> = []
        var isInBackground = false
        var isEnding = false
    }

    private let queue = Monitor(Queue())
    private let threads = Mutex<[WorkerThread]>([])

    /// Starts the threads.
    ///
    /// - Parameter didFinish: Called after every job, when all that it held has been let go of.
    init(didFinish: @escaping @Sendable () -> Void) {
        let queue = queue
        let started = (0..<IOThreads.threadCount).map { _ in
            WorkerThread {
                while IOThreads.perform(queue.wait(IOThreads.next), from: queue) { didFinish() }
            }
        }
        threads.withLock { $0 = started }
    }

    /// Has one of the threads run `job`.
    ///
    /// - Parameter inBackground: After all that somebody waits for.
    /// - Returns: `false` if there are no threads any more; the job isn't run then.
    func run(inBackground: Bool = false, _ job: @escaping @Sendable () -> Void) -> Bool {
        queue.change { queue in
            guard !queue.isEnding else { return false }
            if inBackground { queue.backgroundJobs.append(job) } else { queue.jobs.append(job) }
            return true
        }
    }

    /// How many jobs wait that nobody waits for.
    var backgroundJobCount: Int {
        queue.look { $0.backgroundJobs.count }
    }

    /// Whether the threads are to end soon: what takes long should stop.
    var isEnding: Bool {
        queue.look { $0.isEnding }
    }

    /// Ends the threads after what is queued, and waits for that.
    func end() {
        queue.change { $0.isEnding = true }
        for thread in threads.withLock({ exchange(&$0, with: []) }) { thread.join() }
    }

    private enum Errand {
        case run(Job)
        case runInBackground(Job)
        case end
    }

    private static func next(_ queue: inout Queue) -> Errand? {
        if let job = queue.jobs.popFirst() { return .run(job) }
        if !queue.isInBackground, let job = queue.backgroundJobs.popFirst() {
            queue.isInBackground = true
            return .runInBackground(job)
        }
        return queue.isEnding && queue.backgroundJobs.isEmpty ? .end : nil
    }

    private static func perform(_ errand: consuming Errand, from queue: Monitor<Queue>) -> Bool {
        switch errand {
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
