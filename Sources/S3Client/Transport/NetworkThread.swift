internal import CCurl
import Glibc
import ObjectStore
import Synchronization
import SystemSupport

/// A request as it crosses over to its network thread.
struct Submission: Sendable {
    /// What is asked for, and who gets it.
    enum Job: Sendable {
        case list(ListRequest, completion: @Sendable (Result<ListPage, StoreError>) -> Void)
        case head(Key, completion: @Sendable (Result<ListedObject?, StoreError>) -> Void)
        case get(RangeRequest, receiver: any RangeReceiver)
    }

    let id: UInt64
    let deadline: RunningClock.Instant
    let job: Job

    /// The operation that does the job.
    func operation(in context: ClientContext) -> any Operation {
        let (bucket, traits) = (context.configuration.bucket, context.traits)
        switch job {
        case .list(let request, let completion):
            return ListOperation(request, bucket: bucket, traits: traits, completion: completion)
        case .head(let key, let completion):
            return HeadOperation(key, bucket: bucket, completion: completion)
        case .get(let request, let receiver):
            return GetOperation(request, bucket: bucket, traits: traits, receiver: receiver)
        }
    }
}

/// A thread that runs a `NetworkLoop`, and the mailbox that leads to it.
final class NetworkThread: Sendable {
    /// What other threads have for the loop. The multi handle is here to be woken: it is `nil` once the loop has ended,
    /// so nobody can wake a handle that is gone.
    private struct Mailbox: ~Copyable {
        var multi: UnsafeMutableRawPointer?
        var mail = Mail()
        var thread: pthread_t?
    }

    private struct Mail {
        var submissions: [Submission] = []
        var cancellations: [UInt64] = []
        var isStopping = false

        var isEmpty: Bool { submissions.isEmpty && cancellations.isEmpty && !isStopping }
    }

    private let mailbox: Mutex<Mailbox>
    private let context: ClientContext
    private let transferLimit: Int
    /// What the thread sends and gets.
    let meter = RequestMeter()

    private init(context: ClientContext, transferLimit: Int) {
        guard let multi = curl_multi_init() else { preconditionFailure("out of memory") }
        mailbox = Mutex(Mailbox(multi: multi))
        self.context = context
        self.transferLimit = transferLimit
    }

    /// Starts a thread.
    static func start(context: ClientContext, transferLimit: Int) -> NetworkThread {
        let this = NetworkThread(context: context, transferLimit: transferLimit)
        var thread = pthread_t()
        // The thread owns one reference until it ends.
        let argument = Unmanaged.passRetained(this).toOpaque()
        let code = pthread_create(&thread, nil, { NetworkThread.main($0) }, argument)
        precondition(code == 0, "pthread_create: \(code)")
        this.mailbox.withLock { $0.thread = thread }
        return this
    }

    private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        // Signals are for the main thread. SIGPIPE with them: a write to a closed connection is curl's to notice.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        Unmanaged<NetworkThread>.fromOpaque(argument).takeRetainedValue().run()
        return nil
    }

    // MARK: - From any thread

    /// Hands a request over.
    ///
    /// - Returns: Whether it was taken; not after `stop`.
    func submit(_ submission: Submission) -> Bool {
        post { $0.submissions.append(submission) }
    }

    /// Cancels a request, wherever it stands.
    func cancel(_ id: UInt64) {
        _ = post { $0.cancellations.append(id) }
    }

    /// Tells the thread to end all its requests, and itself.
    func stop() {
        _ = post { $0.isStopping = true }
    }

    /// Waits until the thread has ended. Called on the thread itself, from a request's end, it doesn't wait.
    func join() {
        let thread = mailbox.withLock { $0.thread.take() }
        guard let thread else { return }
        if pthread_equal(thread, pthread_self()) != 0 {
            pthread_detach(thread)
        } else {
            pthread_join(thread, nil)
        }
    }

    private func post(_ change: (inout Mail) -> Void) -> Bool {
        mailbox.withLock { mailbox in
            guard let multi = mailbox.multi, !mailbox.mail.isStopping else { return false }
            let wasEmpty = mailbox.mail.isEmpty
            change(&mailbox.mail)
            // Where there was mail already, its wakeup is still under way.
            if wasEmpty { curl_multi_wakeup(multi) }
            return true
        }
    }

    // MARK: - On the thread

    private func run() {
        guard let multi = mailbox.withLock({ $0.multi }) else { return }
        let loop = NetworkLoop(context: context, multi: multi, transferLimit: transferLimit, meter: meter)
        while deliver(takeMail(), to: loop) {
            loop.turn()
        }
        loop.endAll()
        mailbox.withLock { $0.multi = nil }
        curl_multi_cleanup(multi)
    }

    private func takeMail() -> Mail {
        mailbox.withLock { mailbox in
            let mail = mailbox.mail
            // Stopping stays, so that nothing more is posted.
            mailbox.mail = Mail(isStopping: mail.isStopping)
            return mail
        }
    }

    /// Returns whether to go on.
    private func deliver(_ mail: Mail, to loop: NetworkLoop) -> Bool {
        for submission in mail.submissions {
            loop.submit(
                Exchange(
                    id: submission.id, operation: submission.operation(in: context),
                    deadline: submission.deadline))
        }
        for id in mail.cancellations { loop.cancel(id) }
        return !mail.isStopping
    }
}
