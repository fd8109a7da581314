import Glibc
import ObjectStore

extension Timestamp {
    /// The current time.
    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }

    /// Returns the time since `earlier`; `nil` if that is in the future.
    func age(of earlier: Timestamp) -> Duration? {
        if earlier > self { return nil }
        return .seconds(seconds - earlier.seconds) + .nanoseconds(nanoseconds - earlier.nanoseconds)
    }

    /// Returns the time `duration` before this one, to the second.
    func secondsBefore(_ duration: Duration) -> Timestamp {
        Timestamp(seconds: seconds - Int(duration.components.seconds) - 1)
    }
}
