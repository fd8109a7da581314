import Testing

@testable import SystemSupport

@Suite("Gaps in which a loop did not run") struct GapDetectorTests {
    private let suspending = SuspendingClock.now
    private let continuous = ContinuousClock.now

    /// Returns the moment `elapsed` after the start; the machine was suspended for a part of it.
    private func reading(_ elapsed: Duration, suspended: Duration = .zero) -> GapDetector.Reading {
        GapDetector.Reading(suspending: suspending + elapsed - suspended, continuous: continuous + elapsed)
    }

    @Test func `A loop that wakes in time has no gap`() {
        var detector = GapDetector(reading(.zero))
        #expect(detector.check(reading(.seconds(1)), after: .seconds(1)) == nil)
        #expect(detector.check(reading(.milliseconds(2_900)), after: .seconds(1)) == nil)
        #expect(detector.check(reading(.seconds(3)), after: .seconds(10)) == nil)
    }

    @Test func `A gap begins at the time at which the loop meant to wake`() {
        var detector = GapDetector(reading(.zero))
        let gap = detector.check(reading(.seconds(31)), after: .seconds(1))
        #expect(gap?.duration == .seconds(30))
        #expect(gap?.stopped == suspending + .seconds(1)..<suspending + .seconds(31))
        #expect(detector.check(reading(.seconds(32)), after: .seconds(1)) == nil)
    }

    @Test func `A suspension of the machine is a gap in which the process was not stopped`() {
        var detector = GapDetector(reading(.zero))
        let gap = detector.check(reading(.seconds(3_601), suspended: .seconds(3_600)), after: .seconds(1))
        #expect(gap?.duration == .seconds(3_600))
        #expect(gap?.stopped.isEmpty == true)
    }

    @Test func `A gap that several threads detect counts once`() {
        var gaps = RunningClock.Gaps()
        gaps.note(.seconds(10)..<(.seconds(20)))
        gaps.note(.seconds(11)..<(.seconds(20)))
        #expect(gaps.total == .seconds(10))
        gaps.note(.seconds(9)..<(.seconds(21)))
        #expect(gaps.total == .seconds(11))
        gaps.note(.seconds(5)..<(.seconds(6)))
        #expect(gaps.total == .seconds(11))
        gaps.note(.seconds(30)..<(.seconds(35)))
        #expect(gaps.total == .seconds(16))
    }
}
