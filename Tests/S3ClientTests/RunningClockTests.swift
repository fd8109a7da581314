import ObjectStore
import Testing

@testable import ObjectStore

@Suite("A gap in which a loop did not run") struct PulseTests {
    private let suspending = SuspendingClock.now
    private let continuous = ContinuousClock.now

    /// Returns an instant after the beginning; the machine was suspended for a part of the time.
    private func reading(_ elapsed: Duration, suspended: Duration = .zero) -> Pulse.Reading {
        Pulse.Reading(suspending: suspending + elapsed - suspended, continuous: continuous + elapsed)
    }

    @Test func `a loop that wakes roughly on time has no gap`() {
        var pulse = Pulse(reading(.zero))
        #expect(pulse.beat(reading(.seconds(1)), after: .seconds(1)) == nil)
        #expect(pulse.beat(reading(.milliseconds(2_900)), after: .seconds(1)) == nil)
        #expect(pulse.beat(reading(.seconds(3)), after: .seconds(10)) == nil)
    }

    @Test func `a gap begins at the time when the loop was to wake`() {
        var pulse = Pulse(reading(.zero))
        let gap = pulse.beat(reading(.seconds(31)), after: .seconds(1))
        #expect(gap?.duration == .seconds(30))
        #expect(gap?.stopped == suspending + .seconds(1)..<suspending + .seconds(31))
        #expect(pulse.beat(reading(.seconds(32)), after: .seconds(1)) == nil)
    }

    @Test func `a gap is found if the machine was suspended, which no deadline counts`() {
        var pulse = Pulse(reading(.zero))
        let gap = pulse.beat(reading(.seconds(3_601), suspended: .seconds(3_600)), after: .seconds(1))
        #expect(gap?.duration == .seconds(3_600))
        #expect(gap?.stopped.isEmpty == true)
    }

    @Test func `a gap counts once, however many threads find it`() {
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
