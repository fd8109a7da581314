import ObjectStore
import SystemSupport

/// The maximum number of concurrent transfers of a network thread, which adapts to the store: lower while it throttles,
/// and one more for each round without throttling (additive increase, multiplicative decrease).
///
/// An occasional refusal is handled by the backoff of its own request: a store that refuses one request in ten serves
/// nine, and would not serve fewer any better. If a store refuses a quarter of them, the limit is halved, and a pause
/// begins, in which requests wait that would be refused too.
struct TransferLimit {
    /// The share of refusals above which the limit is lowered.
    static let refusedShareMax = 0.25
    /// The weight of the last response in that share: 5 refusals in a row are a quarter.
    private static let answerWeight = 1.0 / 16

    /// The highest limit.
    let ceiling: Int
    /// The current limit.
    private(set) var count: Int
    /// The number of responses since the last increase.
    private var answerCount = 0
    /// The share of refusals among recent responses.
    private var refusedShare = 0.0
    /// The time of the last decrease: responses to earlier requests are ignored.
    private var loweredInstant: RunningClock.Instant?
    /// The end of the current pause.
    private(set) var pauseEnd: RunningClock.Instant?
    private var backoff = Backoff()

    /// Creates a limit that is not lowered.
    init(ceiling: Int) {
        self.ceiling = ceiling
        count = ceiling
    }

    /// `true` while the limit is lowered.
    var isLowered: Bool { count < ceiling }

    /// Returns `true` if another transfer may begin beside `activeCount`.
    func admits(activeCount: Int, now: RunningClock.Instant) -> Bool {
        activeCount < count && pauseEnd.map { $0 <= now } ?? true
    }

    /// Records a response to a request that was sent at `instant`.
    mutating func noteAnswer(sentAt instant: RunningClock.Instant) {
        refusedShare *= 1 - TransferLimit.answerWeight
        guard loweredInstant.map({ $0 < instant }) ?? true else { return }
        // Also for a limit of one, which cannot be lowered but has pauses.
        backoff.reset()
        guard isLowered else { return }
        answerCount += 1
        if answerCount >= count {
            count += 1
            answerCount = 0
        }
    }

    /// Records a refusal of a request that was sent at `instant`.
    ///
    /// - Parameters:
    ///   - wait: The pause that the store has requested.
    ///   - timeout: The time of a request. The pause is at most a quarter of that, so that the next requests do not
    ///     reach their deadlines in it, when the store may have recovered.
    mutating func noteRefusal(
        sentAt instant: RunningClock.Instant, wait: Duration?, timeout: Duration, now: RunningClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) {
        guard loweredInstant.map({ $0 < instant }) ?? true else { return }
        refusedShare += (1 - refusedShare) * TransferLimit.answerWeight
        guard refusedShare > TransferLimit.refusedShareMax else { return }
        // The next refusal of a later request lowers the limit again; a round of responses does not.
        refusedShare = TransferLimit.refusedShareMax
        count = max(1, count / 2)
        answerCount = 0
        loweredInstant = now
        pauseEnd = now + min(max(backoff.next(isThrottled: true, using: &generator), wait ?? .zero), timeout / 4)
    }
}
