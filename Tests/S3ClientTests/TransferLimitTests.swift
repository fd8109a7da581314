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
                sentAt: now - .microseconds(1), wait: nil, timeout: .seconds(60), now: now, using: &generator)
        }
        return limit
    }

    @Test func `the limit of transfers is lowered by a quarter of refusals, and not by occasional ones`() {
        #expect(limit(ceiling: 32, refusedCount: 4).count == 32)
        #expect(limit(ceiling: 32, refusedCount: 5).count == 16)
        var generator = SeededGenerator(seed: 1)
        var limit = TransferLimit(ceiling: 32)
        for index in 0..<1_000 {
            if index % 10 == 0 {
                limit.noteRefusal(sentAt: start, wait: nil, timeout: .seconds(60), now: start, using: &generator)
            } else {
                limit.noteAnswer(sentAt: start)
            }
        }
        #expect(!limit.isLowered)
    }

    @Test func `the limit of transfers is lowered once by all refusals of requests sent before`() {
        var generator = SeededGenerator(seed: 1)
        var limit = limit(ceiling: 32, refusedCount: 5)
        for _ in 0..<27 {
            limit.noteRefusal(
                sentAt: start, wait: nil, timeout: .seconds(60), now: start + .milliseconds(6), using: &generator)
        }
        #expect(limit.count == 16)
        limit.noteRefusal(
            sentAt: start + .milliseconds(7), wait: nil, timeout: .seconds(60), now: start + .milliseconds(8),
            using: &generator)
        #expect(limit.count == 8, "what was sent since is news")
    }

    @Test func `a refusal starts a pause, or one as long as Retry-After`() throws {
        var generator = SeededGenerator(seed: 1)
        var limit = limit(ceiling: 32, refusedCount: 5)
        let pauseEnd = try #require(limit.pauseEnd)
        #expect(!limit.admits(activeCount: 0, now: pauseEnd - .nanoseconds(1)))
        #expect(limit.admits(activeCount: 15, now: pauseEnd))
        #expect(!limit.admits(activeCount: 16, now: pauseEnd))
        limit.noteRefusal(sentAt: pauseEnd, wait: .seconds(7), timeout: .seconds(60), now: pauseEnd, using: &generator)
        #expect(limit.pauseEnd == pauseEnd + .seconds(7))
    }

    @Test func `no pause is longer than a quarter of the time of a request`() {
        var generator = SeededGenerator(seed: 1)
        var limit = limit(ceiling: 32, refusedCount: 5)
        let now = start + .seconds(1)
        limit.noteRefusal(sentAt: now, wait: .seconds(7), timeout: .seconds(2), now: now, using: &generator)
        #expect(limit.pauseEnd == now + .milliseconds(500))
    }

    @Test func `pauses are short again after a response at a limit of one transfer`() throws {
        var generator = SeededGenerator(seed: 1)
        // So many that the pauses have come to the longest.
        var limit = limit(ceiling: 1, refusedCount: 30)
        let now = start + .seconds(1)
        limit.noteAnswer(sentAt: now)
        for index in 0..<2 {
            let now = now + .milliseconds(index + 1)
            limit.noteRefusal(sentAt: now, wait: nil, timeout: .seconds(60), now: now, using: &generator)
        }
        let pauseEnd = try #require(limit.pauseEnd)
        #expect(pauseEnd - now < Backoff.base * 2 + .milliseconds(2))
    }

    @Test func `throttling is logged once, and its end once, while a store repeatedly throttles`() {
        let log = RecordedLog()
        let context = ClientContext(configuration: S3Configuration(bucket: "b"), credentials: nil, logger: log.logger)
        let refusal = StoreError(.throttled, "slow down")
        for _ in 0..<3 {
            for isBeginning in [true, false, true] { context.noteThrottling(refusal, isBeginning: isBeginning) }
            for _ in 0..<2 { context.noteRelief() }
        }
        #expect(log.warnings.count == 1)
        #expect(log.messages.count { $0.contains("no longer throttled") } == 1)
    }

    @Test func `the limit of transfers grows by one with each round of responses, up to its old value`() {
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
    func `the limit of transfers stays between one and its maximum`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var limit = TransferLimit(ceiling: Int.random(in: 1...64, using: &generator))
        for index in 0..<2_000 {
            let now = start + .milliseconds(index)
            if Int.random(in: 0..<3, using: &generator) == 0 {
                limit.noteRefusal(sentAt: now, wait: nil, timeout: .seconds(60), now: now, using: &generator)
            } else {
                limit.noteAnswer(sentAt: now)
            }
            #expect(1...limit.ceiling ~= limit.count, "seed \(seed)")
        }
    }
}
