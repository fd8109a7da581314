internal import CCurl
internal import DequeModule
internal import Logging
import ObjectStore

/// What one network thread does: drives curl's multi handle and moves each exchange on. Nothing here is shared, so
/// nothing is locked.
final class NetworkLoop {
    private let context: ClientContext
    private let multi: UnsafeMutableRawPointer
    private let transferLimit: Int
    /// All requests that have not ended, by id.
    private var exchanges: [UInt64: Exchange] = [:]
    /// Requests that wait for a free transfer, oldest first. Those that have ended meanwhile are skipped.
    private var queue: Deque<UInt64> = []
    /// Requests that are being transferred, by their easy handle.
    private var active: [UnsafeMutableRawPointer: Exchange] = [:]
    private var idleTransfers: [Transfer] = []
    /// No exchange needs looking at before; may be too early, never too late.
    private var nextInstant: ContinuousClock.Instant?
    private var generator = SystemRandomNumberGenerator()

    /// - Parameters:
    ///   - multi: curl's multi handle; stays the caller's to clean up, after `endAll`.
    ///   - transferLimit: How many transfers at once.
    init(context: ClientContext, multi: UnsafeMutableRawPointer, transferLimit: Int) {
        self.context = context
        self.multi = multi
        self.transferLimit = transferLimit
        _ = tractfs_multi_set_long(multi, CURLMOPT_PIPELINING, 0)
        // Keep as many connections open as may be used at once.
        _ = tractfs_multi_set_long(multi, CURLMOPT_MAXCONNECTS, transferLimit)
        _ = tractfs_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, transferLimit)
    }

    /// Takes a new request.
    func submit(_ exchange: Exchange) {
        exchanges[exchange.id] = exchange
        queue.append(exchange.id)
        watch(exchange)
    }

    /// Ends a request that nobody wants any more.
    func cancel(_ id: UInt64) {
        guard let exchange = exchanges[id] else { return }
        end(exchange, StoreError(.cancelled, "\(exchange.operation.subject) is no longer wanted"))
    }

    /// Moves everything on that can be moved on, then waits for the network, a wakeup or the next deadline.
    func turn() {
        startQueued()
        var running: CInt = 0
        curl_multi_perform(multi, &running)
        collectEnded()
        tick(now: .now)
        startQueued()
        curl_multi_poll(multi, nil, 0, waitMilliseconds(now: .now), nil)
    }

    /// Ends all requests: the client is being shut down.
    func endAll() {
        for exchange in exchanges.values.sorted(by: { $0.id < $1.id }) {
            end(exchange, StoreError(.cancelled, "the store's client was shut down"))
        }
        idleTransfers = []
    }

    // MARK: - Attempts

    private func startQueued() {
        while active.count < transferLimit, let id = queue.popFirst() {
            guard let exchange = exchanges[id], case .queued = exchange.phase else { continue }
            start(exchange)
        }
    }

    private func start(_ exchange: Exchange) {
        let request = context.signedRequest(for: exchange.operation)
        let transfer = idleTransfers.popLast() ?? Transfer(configuration: context.configuration)
        transfer.prepare(exchange.operation, url: request.url, headers: request.headers)
        exchange.begin(transfer, request)
        active[transfer.easy] = exchange
        let code = curl_multi_add_handle(multi, transfer.easy)
        precondition(code == CURLM_OK, "curl_multi_add_handle: \(code.rawValue)")
    }

    private func collectEnded() {
        var remaining: CInt = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let exchange = active[easy]
            else { continue }
            conclude(exchange, message.pointee.data.result)
        }
    }

    private func conclude(_ exchange: Exchange, _ result: CURLcode) {
        guard case .transferring(let transfer, let request) = exchange.phase else { return }
        let outcome = Result { () throws(AttemptFailure) in
            try transfer.conclude(result, server: request.server, now: .now)
        }
        release(transfer)
        switch outcome {
        case .success:
            end(exchange, nil)
        case .failure(let failure):
            learn(from: failure, of: request)
            follow(exchange.decide(after: failure, now: .now, using: &generator), of: exchange, after: failure)
        }
    }

    private func follow(_ decision: Exchange.Decision, of exchange: Exchange, after failure: AttemptFailure) {
        switch decision {
        case .end(let error):
            end(exchange, error)
        case .retry(let wait):
            context.logger.debug(
                "an attempt failed, another follows",
                metadata: [
                    "subject": "\(exchange.operation.subject)", "error": "\(failure.error)", "wait": "\(wait)",
                    "attempts": "\(exchange.attemptCount)",
                ])
            exchange.phase = .backingOff(until: .now + wait)
            watch(exchange)
        }
    }

    /// Remembers what the answer told, for all requests. One that was sent before the others knew tells nothing new.
    private func learn(from failure: AttemptFailure, of request: ClientContext.SignedRequest) {
        switch failure.remedy {
        case .useRegion(let region) where region != request.region: context.learn(region: region)
        case .setClock(let seconds): context.learn(clockOffsetSeconds: seconds)
        case .none, .backOff, .useRegion: break
        }
    }

    /// Gives the transfer back, broken off where it is still running.
    private func release(_ transfer: Transfer) {
        active[transfer.easy] = nil
        curl_multi_remove_handle(multi, transfer.easy)
        transfer.clear()
        idleTransfers.append(transfer)
    }

    private func end(_ exchange: Exchange, _ failure: StoreError?) {
        if case .transferring(let transfer, _) = exchange.phase, active[transfer.easy] === exchange {
            release(transfer)
        }
        exchanges[exchange.id] = nil
        exchange.operation.finish(failure)
    }

    // MARK: - Time

    private func watch(_ exchange: Exchange) {
        nextInstant = min(nextInstant ?? exchange.nextInstant, exchange.nextInstant)
    }

    /// Looks at all exchanges where the first of their instants has come. Deadlines are far off, so this is rare.
    private func tick(now: ContinuousClock.Instant) {
        guard let instant = nextInstant, instant <= now else { return }
        for exchange in exchanges.values {
            if exchange.deadline <= now, !exchange.extendDeadline(now: now) {
                end(exchange, exchange.giveUp())
            } else if case .backingOff(let until) = exchange.phase, until <= now {
                exchange.phase = .queued
                queue.append(exchange.id)
            }
        }
        nextInstant = exchanges.values.map(\.nextInstant).min()
    }

    private func waitMilliseconds(now: ContinuousClock.Instant) -> CInt {
        // Any upper limit would do: submissions and cancellations wake the poll, curl knows its own timers.
        let limit: Duration = .seconds(10)
        guard let nextInstant else { return CInt(limit / .milliseconds(1)) }
        let wait = min(max(nextInstant - now, .zero), limit)
        return CInt((wait / .milliseconds(1)).rounded(.up))
    }
}
