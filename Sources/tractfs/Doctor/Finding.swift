import SystemSupport

/// What a check has found, for a person or a program.
struct Finding: Sendable {
    /// How it stands.
    enum Status: String, Sendable {
        case ok
        /// A mount works, but not as well as it might.
        case warning
        /// A mount can't work.
        case failure
        /// Not looked at, because something else is wrong or wasn't asked for.
        case skipped
    }

    let check: CheckName
    let status: Status
    /// What was found, in a sentence without a full stop.
    let message: String
    /// What to do about it.
    let advice: String?
    /// Figures and the like, for programs: their names end in their units.
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

    /// All is well.
    static func ok(
        _ check: CheckName, _ message: String, values: [(name: String, value: JSONObject.Value)] = []
    ) -> Finding {
        Finding(check, .ok, message, advice: nil, values: values)
    }

    /// Something could be better.
    static func warning(
        _ check: CheckName, _ message: String, advice: String?,
        values: [(name: String, value: JSONObject.Value)] = []
    ) -> Finding {
        Finding(check, .warning, message, advice: advice, values: values)
    }

    /// Something is wrong.
    static func failure(
        _ check: CheckName, _ message: String, advice: String?,
        values: [(name: String, value: JSONObject.Value)] = []
    ) -> Finding {
        Finding(check, .failure, message, advice: advice, values: values)
    }

    /// Something is wrong, as an error of ours says it: what it is and, behind the first semicolon, what to do.
    static func failure(_ check: CheckName, _ error: any Error) -> Finding {
        let (message, advice) = parts(of: error)
        return Finding(check, .failure, message, advice: advice, values: [])
    }

    /// The same, where a mount works all the same.
    static func warning(_ check: CheckName, _ error: any Error) -> Finding {
        let (message, advice) = parts(of: error)
        return Finding(check, .warning, message, advice: advice, values: [])
    }

    /// It was not looked at.
    static func skipped(_ check: CheckName, because reason: String) -> Finding {
        Finding(check, .skipped, reason, advice: nil, values: [])
    }

    private static func parts(of error: any Error) -> (message: String, advice: String?) {
        let text = "\(error)"
        guard let separator = text.firstRange(of: "; ") else { return (text, nil) }
        return (String(text[..<separator.lowerBound]), String(text[separator.upperBound...]))
    }
}

/// The checks, in the order in which they are made.
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
