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
    /// When the request is given up. Moves on while bytes come (`extendDeadline`).
    private(set) var deadline: ContinuousClock.Instant
    /// How much time the request was given.
    private let patience: Duration
    /// How many bytes had come when the deadline was set.
    private var countedByteCount = 0
    var phase = Phase.queued
    private var backoff = Backoff()
    private(set) var attemptCount = 0
    private var lastError: StoreError?
    private var correctionCount = 0

    /// A region and a clock, and one more for a store that has two regions to tell (a redirect, then the signature's).
    private static let correctionLimit = 3

    /// How many bytes move the deadline. As many as any network brings in a minute; a server that lets them drip, one a
    /// second, does not come to it.
    private static let progressByteCount = 65_536

    /// - Parameter now: When the request was made; from then on to `deadline` is what it is patient for.
    init(
        id: UInt64, operation: any Operation, deadline: ContinuousClock.Instant, now: ContinuousClock.Instant = .now
    ) {
        self.id = id
        self.operation = operation
        self.deadline = deadline
        patience = deadline - now
    }

    /// Moves a deadline that has come: a slow network is no failure as long as bytes come, and a GET that waits for a
    /// connection waits for such bytes. (A listing doesn't: somebody waits for it, and it is small.)
    ///
    /// - Returns: Whether the request may go on.
    func extendDeadline(now: ContinuousClock.Instant) -> Bool {
        let receivedByteCount = operation.receivedByteCount
        let isWaitingForConnection = attemptCount == 0 && !operation.isListing
        guard isWaitingForConnection || receivedByteCount - countedByteCount >= Self.progressByteCount else {
            return false
        }
        countedByteCount = receivedByteCount
        deadline = now + patience
        return true
    }

    /// When something must be done even if the network stays silent.
    var nextInstant: ContinuousClock.Instant {
        if case .backingOff(let until) = phase { return min(until, deadline) }
        return deadline
    }

    /// An attempt begins.
    func begin(_ transfer: Transfer, _ request: ClientContext.SignedRequest) {
        attemptCount += 1
        // What a request fails with is what its last attempt met.
        lastError = nil
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
