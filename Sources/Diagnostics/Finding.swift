package import SystemSupport

/// The finding of a check, for users and programs.
package struct Finding: Sendable {
    package enum Status: String, Sendable {
        case ok
        /// A mount works, but could be better.
        case warning
        /// A mount can't work.
        case failure
        /// A check that was not made, because something else is wrong or it was not requested.
        case skipped
    }

    let check: CheckName
    package let status: Status
    /// A sentence without a period.
    let message: String
    /// The remedy; `nil` if there is none.
    let advice: String?
    /// Figures for programs. Names of quantities end in their units.
    let values: [(name: String, value: JSONObject.Value)]

    private init(
        _ check: CheckName, _ status: Status, _ message: String, advice: String?,
        values: [(name: String, value: JSONObject.Value)]
    ) {
        self.check = check
        self.status = status
        self.message = message
        self.advice = advice
        self.values = values
    }

    /// The check succeeded.
    static func ok(
        _ check: CheckName, _ message: String, values: [(name: String, value: JSONObject.Value)] = []
    ) -> Finding {
        Finding(check, .ok, message, advice: nil, values: values)
    }

    /// A mount works, but could be better.
    static func warning(
        _ check: CheckName, _ message: String, advice: String?,
        values: [(name: String, value: JSONObject.Value)] = []
    ) -> Finding {
        Finding(check, .warning, message, advice: advice, values: values)
    }

    /// A mount can't work.
    static func failure(
        _ check: CheckName, _ message: String, advice: String?,
        values: [(name: String, value: JSONObject.Value)] = []
    ) -> Finding {
        Finding(check, .failure, message, advice: advice, values: values)
    }

    /// A mount can't work, because of `error`. Its description has the message and, behind the first semicolon, the
    /// advice.
    static func failure(_ check: CheckName, _ error: any Error) -> Finding {
        let (message, advice) = parts(of: error)
        return Finding(check, .failure, message, advice: advice, values: [])
    }

    /// Returns a warning: a mount works in spite of `error`.
    static func warning(_ check: CheckName, _ error: any Error) -> Finding {
        let (message, advice) = parts(of: error)
        return Finding(check, .warning, message, advice: advice, values: [])
    }

    /// Returns the finding of a check that was not made, with the reason.
    static func skipped(_ check: CheckName, because reason: String) -> Finding {
        Finding(check, .skipped, reason, advice: nil, values: [])
    }

    /// The finding as a JSON object.
    package var object: JSONObject {
        [
            "check": .string(check.rawValue), "status": .string(status.rawValue), "message": .string(message),
            "advice": advice.map { .string($0) } ?? .null, "values": .object(JSONObject(values)),
        ]
    }

    private static func parts(of error: any Error) -> (message: String, advice: String?) {
        let text = "\(error)"
        guard let separator = text.firstRange(of: "; ") else { return (text, nil) }
        return (String(text[..<separator.lowerBound]), String(text[separator.upperBound...]))
    }
}

/// The names of the checks, in their order.
enum CheckName: String, CaseIterable, Sendable {
    case fuse
    case passthrough
    case takeover
    case settings
    case credentials
    case clock
    case name
    case connection
    case encryption = "tls"
    case endpoint
    case region
    case list
    case read
    case roundTrip = "round-trip"
    case bandwidth
    case cache
    case memory
}
