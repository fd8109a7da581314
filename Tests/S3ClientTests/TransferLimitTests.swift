import ObjectStore
import SystemSupport
import Testing
import TestSupport

@testable import S3Client

@Suite struct `The limit of transfers` {
    private let start = RunningClock.now

    /// A limit that `refusedCount` refusals in a row have met, one each millisecond, of what was sent just before.
    private func limit(ceiling: Int, refusedCount: Int) -> TransferLimit {
        var generator = SeededGenerator(seed: 1)
        var limit = TransferLimit(ceiling: ceiling)
        for index in 0..<refusedCount {
            let now = start + .milliseconds(index + 1)
            limit.noteRefusal(
                sentAt: now - .microseconds(1), wait: nil, patience: .seconds(60), now: now, using: &generator)
        }
        return limit
    }

    @Test func `is lowered by a quarter of refusals, and not by one now and then`() {
        #expect(limit(ceiling: 32, refusedCount: 4).count == 32)
        #expect(limit(ceiling: 32, refusedCount: 5).count == 16)
        var generator = SeededGenerator(seed: 1)
        var limit = TransferLimit(ceiling: 32)
        for index in 0..<1_000 {
            if index % 10 == 0 {
                limit.noteRefusal(sentAt: start, wait: nil, patience: .seconds(60), now: start, using: &generator)
            } else {
                limit.noteAnswer(sentAt: start)
            }
        }
        #expect(!limit.isLowered)
    }

    @Test func `is lowered once by all that was sent before it was lowered`() {
        var generator = SeededGenerator(seed: 1)
        var limit = limit(ceiling: 32, refusedCount: 5)
        for _ in 0..<27 {
            limit.noteRefusal(
                sentAt: start, wait: nil, patience: .seconds(60), now: start + .milliseconds(6), using: &generator)
        }
        #expect(limit.count == 16)
        limit.noteRefusal(
            sentAt: start + .milliseconds(7), wait: nil, patience: .seconds(60), now: start + .milliseconds(8),
            using: &generator)
        #expect(limit.count == 8, "what was sent since is news")
    }

    @Test func `lets nothing begin for a moment, or for as long as the store wants`() throws {
        var generator = SeededGenerator(seed: 1)
        var limit = limit(ceiling: 32, refusedCount: 5)
        let pauseEnd = try #require(limit.pauseEnd)
        #expect(!limit.admits(activeCount: 0, now: pauseEnd - .nanoseconds(1)))
        #expect(limit.admits(activeCount: 15, now: pauseEnd))
        #expect(!limit.admits(activeCount: 16, now: pauseEnd))
        limit.noteRefusal(sentAt: pauseEnd, wait: .seconds(7), patience: .seconds(60), now: pauseEnd, using: &generator)
        #expect(limit.pauseEnd == pauseEnd + .seconds(7))
    }

    @Test func `keeps nobody waiting for more than a quarter of the time that requests have`() {
        var generator = SeededGenerator(seed: 1)
        var limit = limit(ceiling: 32, refusedCount: 5)
        let now = start + .seconds(1)
        limit.noteRefusal(sentAt: now, wait: .seconds(7), patience: .seconds(2), now: now, using: &generator)
        #expect(limit.pauseEnd == now + .milliseconds(500))
    }

    @Test func `of one transfer makes short pauses again after an answer`() throws {
        var generator = SeededGenerator(seed: 1)
        // So many that the pauses have come to the longest.
        var limit = limit(ceiling: 1, refusedCount: 30)
        let now = start + .seconds(1)
        limit.noteAnswer(sentAt: now)
        for index in 0..<2 {
            let now = now + .milliseconds(index + 1)
            limit.noteRefusal(sentAt: now, wait: nil, patience: .seconds(60), now: now, using: &generator)
        }
        let pauseEnd = try #require(limit.pauseEnd)
        #expect(pauseEnd - now < Backoff.base * 2 + .milliseconds(2))
    }

    @Test func `is told of once, and once when it is over, while a store comes to its limit again and again`() {
        let log = RecordedLog()
        let context = ClientContext(configuration: S3Configuration(bucket: "b"), credentials: nil, logger: log.logger)
        let refusal = StoreError(.throttled, "slow down")
        for _ in 0..<3 {
            for isBeginning in [true, false, true] { context.noteThrottling(refusal, isBeginning: isBeginning) }
            for _ in 0..<2 { context.noteRelief() }
        }
        #expect(log.warnings.count == 1)
        #expect(log.messages.count { $0.contains("bears all requests again") } == 1)
    }

    @Test func `grows by one with each round of answers, up to what it was`() {
        var limit = limit(ceiling: 8, refusedCount: 5)
        let now = start + .seconds(1)
        var counts: [Int] = []
        for _ in 0..<40 {
            limit.noteAnswer(sentAt: now)
            counts.append(limit.count)
        }
        #expect(counts.prefix(4) == [4, 4, 4, 5] && counts.last == 8 && counts.sorted() == counts)
        #expect(!limit.isLowered)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `stays between one and its ceiling, whatever the store says`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var limit = TransferLimit(ceiling: Int.random(in: 1...64, using: &generator))
        for index in 0..<2_000 {
            let now = start + .milliseconds(index)
            if Int.random(in: 0..<3, using: &generator) == 0 {
                limit.noteRefusal(sentAt: now, wait: nil, patience: .seconds(60), now: now, using: &generator)
            } else {
                limit.noteAnswer(sentAt: now)
            }
            #expect(1...limit.ceiling ~= limit.count, "seed \(seed)")
        }
    }
}
