import ObjectStore

/// A request on its way to an end: queued, then attempts with waits between them. Lives on one network thread.
final class Exchange {
    /// Where the request stands.
    enum Phase {
        case queued
        case transferring(Transfer, ClientContext.SignedRequest)
        case backingOff(until: ContinuousClock.Instant)
    }

    /// What follows a failed attempt.
    enum Decision: Equatable {
        case retry(after: Duration)
        case end(StoreError)
    }

    let id: UInt64
    let operation: any Operation
    let deadline: ContinuousClock.Instant
    var phase = Phase.queued
    private var backoff = Backoff()
    private(set) var attemptCount = 0
    private var lastError: StoreError?
    private var correctionCount = 0

    /// A region and a clock, and one more for a store that has two regions to tell (a redirect, then the signature's).
    private static let correctionLimit = 3

    init(id: UInt64, operation: any Operation, deadline: ContinuousClock.Instant) {
        self.id = id
        self.operation = operation
        self.deadline = deadline
    }

    /// When something must be done even if the network stays silent.
    var nextInstant: ContinuousClock.Instant {
        if case .backingOff(let until) = phase { return min(until, deadline) }
        return deadline
    }

    /// An attempt begins.
    func begin(_ transfer: Transfer, _ request: ClientContext.SignedRequest) {
        attemptCount += 1
        phase = .transferring(transfer, request)
    }

    /// Decides what follows an attempt that failed. Whatever the answer taught has been learned by now.
    func decide(
        after failure: AttemptFailure, now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
    ) -> Decision {
        lastError = failure.error
        switch failure.remedy {
        case .none:
            return .end(failure.error)
        case .useRegion(let region) where region == signedRegion:
            return .end(failure.error)
        case .useRegion, .setClock:
            correctionCount += 1
            return correctionCount > Self.correctionLimit ? .end(failure.error) : .retry(after: .zero)
        case .backOff:
            if operation.hasProgressed { backoff.reset() }
            let wait = backoff.next(using: &generator)
            return now + wait < deadline ? .retry(after: wait) : .end(giveUp())
        }
    }

    /// The region that the attempt under way was signed for: a store that names it again can't be helped.
    private var signedRegion: String? {
        guard case .transferring(_, let request) = phase else { return nil }
        return request.region
    }

    /// The error of a request that has run out of time.
    func giveUp() -> StoreError {
        let attempts = attemptCount == 1 ? "1 attempt" : "\(attemptCount) attempts"
        if let lastError {
            return StoreError(
                lastError.code, "\(lastError.message) (given up after \(attempts))", requestID: lastError.requestID)
        }
        switch phase {
        case .transferring(_, let request):
            return StoreError(.timedOut, "no answer in time from \(request.server) for \(operation.subject)")
        case .queued, .backingOff:
            return StoreError(.timedOut, "no connection became free in time for \(operation.subject)")
        }
    }
}
