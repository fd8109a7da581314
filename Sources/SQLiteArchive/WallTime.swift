import Glibc
import ObjectStore

/// The times in the database: nanoseconds since 1970 by the wall clock.
enum WallTime {
    /// The current time.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * nanosecondsASecond + Int64(time.tv_nsec)
    }

    /// Returns the number for `timestamp`; `nil` if it is centuries away.
    static func nanoseconds(_ timestamp: Timestamp) -> Int64? {
        let (product, isTooFar) = Int64(timestamp.seconds).multipliedReportingOverflow(by: nanosecondsASecond)
        let (sum, isBeyond) = product.addingReportingOverflow(Int64(timestamp.nanoseconds))
        return isTooFar || isBeyond ? nil : sum
    }

    /// Returns the time for this number.
    static func timestamp(_ nanoseconds: Int64) -> Timestamp {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: nanosecondsASecond)
        return remainder < 0
            ? Timestamp(seconds: Int(quotient) - 1, nanoseconds: Int(remainder + nanosecondsASecond))
            : Timestamp(seconds: Int(quotient), nanoseconds: Int(remainder))
    }

    private static let nanosecondsASecond: Int64 = 1_000_000_000
}
