import Glibc
import ObjectStore

extension Timestamp {
    /// The time, by the clock on the wall.
    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }

    /// How long ago `earlier` was; `nil` where it is still to come.
    func age(of earlier: Timestamp) -> Duration? {
        if earlier > self { return nil }
        return .seconds(seconds - earlier.seconds) + .nanoseconds(nanoseconds - earlier.nanoseconds)
    }

    /// The time `duration` before this one, to the second.
    func secondsBefore(_ duration: Duration) -> Timestamp {
        Timestamp(seconds: seconds - Int(duration.components.seconds) - 1)
    }
}
