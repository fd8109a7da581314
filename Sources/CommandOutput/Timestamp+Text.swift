import Glibc
package import ObjectStore

extension Timestamp {
    /// The local time to the minute: "2026-11-21 07:25".
    package var localText: String { text("%Y-%m-%d %H:%M") { localtime_r(&$0, &$1) } }

    /// The UTC time to the second (RFC 3339): "2026-11-21T07:25:03Z".
    package var utcText: String { text("%Y-%m-%dT%H:%M:%SZ") { gmtime_r(&$0, &$1) } }

    /// The UTC time to the millisecond: "2026-11-21T07:25:03.042Z".
    package var utcMillisecondText: String {
        let digits = String(nanoseconds / 1_000_000)
        return utcText.dropLast() + "." + String(repeating: "0", count: 3 - digits.count) + digits + "Z"
    }

    /// The time on this machine's clock.
    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }

    private func text(_ format: String, _ convert: (inout time_t, inout tm) -> UnsafeMutablePointer<tm>?) -> String {
        var (time, fields) = (time_t(seconds), tm())
        // Fails only for years that don't fit.
        guard convert(&time, &fields) != nil else { return "unknown" }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.textCapacity) { buffer in
            let count = strftime(buffer.baseAddress, buffer.count, format, &fields)
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Enough for either form and any year.
    private static let textCapacity = 64
}
