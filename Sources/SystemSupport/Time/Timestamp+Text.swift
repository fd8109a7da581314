import Glibc

extension Timestamp {
    /// The minute in the local time zone: "2026-11-21 07:25".
    public var localText: String { text("%Y-%m-%d %H:%M") { localtime_r(&$0, &$1) } }

    /// The second in UTC (RFC 3339): "2026-11-21T07:25:03Z".
    public var utcText: String { utcText("%Y-%m-%dT%H:%M:%SZ") }

    /// The millisecond in UTC: "2026-11-21T07:25:03.042Z".
    public var utcMillisecondText: String {
        "\(utcText.dropLast()).\((nanoseconds / 1_000_000).padded(to: 3))Z"
    }

    /// The second in UTC in ISO 8601's basic format, as in `X-Amz-Date`: "20261121T072503Z".
    public var utcBasicText: String { utcText("%Y%m%dT%H%M%SZ") }

    /// The day in UTC in ISO 8601's basic format, as in the scope of a credential: "20261121".
    public var utcBasicDate: String { utcText("%Y%m%d") }

    /// The second in the format of HTTP headers (RFC 9110, section 5.6.7): "Sat, 21 Nov 2026 07:25:03 GMT".
    ///
    /// The names are English because the program leaves LC_TIME at the "C" locale.
    public var httpDate: String { utcText("%a, %d %b %Y %H:%M:%S GMT") }

    private func utcText(_ format: String) -> String { text(format) { gmtime_r(&$0, &$1) } }

    private func text(_ format: String, _ convert: (inout time_t, inout tm) -> UnsafeMutablePointer<tm>?) -> String {
        var (time, fields) = (time_t(seconds), tm())
        // Fails only for years that don't fit.
        guard convert(&time, &fields) != nil else { return "unknown" }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.textCapacity) { buffer in
            let count = strftime(buffer.baseAddress, buffer.count, format, &fields)
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Enough for each format and any year.
    private static let textCapacity = 64
}
