internal import CCurl
import Glibc
import ObjectStore
import Synchronization
import SystemSupport

/// A request on its way to its network thread.
struct QueuedRequest: Sendable {
    /// The request, and the receiver of its result.
    enum Job: Sendable {
        case list(ListRequest, completion: @Sendable (Result<ListPage, StoreError>) -> Void)
        case head(Key, completion: @Sendable (Result<ListedObject?, StoreError>) -> Void)
        case get(RangeRequest, receiver: any RangeReceiver)
    }

    let id: UInt64
    let deadline: RunningClock.Instant
    let job: Job

    /// Returns the operation that performs the job.
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

/// A thread that runs a `NetworkLoop`, with its mailbox.
final class NetworkThread: Sendable {
    /// The messages for the loop, and the multi handle to wake it. The handle is `nil` once the loop has ended, so that
    /// no thread wakes a handle that is gone.
    private struct Mailbox: ~Copyable {
        var multi: UnsafeMutableRawPointer?
        var mail = Mail()
        var thread: WorkerThread?
    }

    private struct Mail {
        var queued: [QueuedRequest] = []
        var cancellations: [UInt64] = []
        var isStopping = false

        var isEmpty: Bool { queued.isEmpty && cancellations.isEmpty && !isStopping }
    }

    private let mailbox: Mutex<Mailbox>
    private let context: ClientContext
    private let transferLimit: Int
    /// The counters of the thread's requests and responses.
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
        // SIGPIPE is blocked there like other signals: curl notices a write to a closed connection by itself.
        let thread = WorkerThread { this.run() }
        this.mailbox.withLock { $0.thread = thread }
        return this
    }

    // MARK: - From any thread

    /// Passes a request to the thread.
    ///
    /// - Returns: `false` after `stop`.
    func submit(_ request: QueuedRequest) -> Bool {
        post { $0.queued.append(request) }
    }

    /// Cancels a request in any state.
    func cancel(_ id: UInt64) {
        _ = post { $0.cancellations.append(id) }
    }

    /// Ends all requests and the thread.
    func stop() {
        _ = post { $0.isStopping = true }
    }

    /// Waits for the end of the thread. On the thread itself, in the completion of a request, it does not wait.
    func join() {
        mailbox.withLock { $0.thread.take() }?.join()
    }

    private func post(_ change: (inout Mail) -> Void) -> Bool {
        mailbox.withLock { mailbox in
            guard let multi = mailbox.multi, !mailbox.mail.isStopping else { return false }
            let wasEmpty = mailbox.mail.isEmpty
            change(&mailbox.mail)
            // If there were messages already, their wakeup is still pending.
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
            // `isStopping` stays set, so that no more messages are posted.
            mailbox.mail = Mail(isStopping: mail.isStopping)
            return mail
        }
    }

    /// Returns `false` if the loop must end.
    private func deliver(_ mail: Mail, to loop: NetworkLoop) -> Bool {
        for request in mail.queued {
            loop.submit(
                PendingRequest(
                    id: request.id, operation: request.operation(in: context),
                    deadline: request.deadline))
        }
        for id in mail.cancellations { loop.cancel(id) }
        return !mail.isStopping
    }
}
