import ObjectStore
import SystemSupport

/// How many transfers a network thread may have at once, by what the store bears: fewer while it asks for less traffic, and
/// one more for each round without such an answer (additive increase, multiplicative decrease).
///
/// A refusal now and then is passed over by its own request's backoff: a store that refuses one request in ten serves nine, and
/// fewer at once would not be served better. One that refuses a quarter of them is asked for half as much, and not at all for
/// a moment, in which all wait that would be refused as well.
struct TransferLimit {
    /// The share of refusals from which on there are fewer transfers.
    static let refusedShareMax = 0.25
    /// What the last answer counts for in that share: 5 refusals in a row are a quarter.
    private static let answerWeight = 1.0 / 16

    /// The most that there may be at any time.
    let ceiling: Int
    /// How many there may be now.
    private(set) var count: Int
    /// Answers since there was one transfer more.
    private var answerCount = 0
    /// The share of refusals among the last answers.
    private var refusedShare = 0.0
    /// When the limit was lowered last: what was sent before tells nothing new.
    private var loweredInstant: RunningClock.Instant?
    /// Until when nothing is sent.
    private(set) var pauseEnd: RunningClock.Instant?
    private var backoff = Backoff()

    /// A limit that has not been lowered.
    init(ceiling: Int) {
        self.ceiling = ceiling
        count = ceiling
    }

    /// Whether the store is asked for less than would be possible.
    var isLowered: Bool { count < ceiling }

    /// Whether another transfer may begin, beside `activeCount`.
    func admits(activeCount: Int, now: RunningClock.Instant) -> Bool {
        activeCount < count && pauseEnd.map { $0 <= now } ?? true
    }

    /// The store has answered what was sent at `instant`.
    mutating func noteAnswer(sentAt instant: RunningClock.Instant) {
        refusedShare *= 1 - TransferLimit.answerWeight
        guard loweredInstant.map({ $0 < instant }) ?? true else { return }
        // Also where there can't be fewer than there are, but pauses.
        backoff.reset()
        guard isLowered else { return }
        answerCount += 1
        if answerCount >= count {
            count += 1
            answerCount = 0
        }
    }

    /// The store has asked for less traffic, in answer to what was sent at `instant`.
    ///
    /// - Parameters:
    ///   - wait: How long it wants to be left alone, where it says that.
    ///   - patience: How much time a request is given. The pause is a quarter of that at the most: those who come next would
    ///     else run out of it in a pause, when the store may be well again.
    mutating func noteRefusal(
        sentAt instant: RunningClock.Instant, wait: Duration?, patience: Duration, now: RunningClock.Instant,
        using generator: inout some RandomNumberGenerator
    ) {
        guard loweredInstant.map({ $0 < instant }) ?? true else { return }
        refusedShare += (1 - refusedShare) * TransferLimit.answerWeight
        guard refusedShare > TransferLimit.refusedShareMax else { return }
        // The next refusal, of what is sent from now on, is to lower it again; a round of answers isn't.
        refusedShare = TransferLimit.refusedShareMax
        count = max(1, count / 2)
        answerCount = 0
        loweredInstant = now
        pauseEnd = now + min(max(backoff.next(using: &generator), wait ?? .zero), patience / 4)
    }
}
