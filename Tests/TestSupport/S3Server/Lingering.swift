/// Ways of a server to be slow.
public enum Lingering: Sendable {
    /// Answers rightly, so much later.
    case delay(Duration)
    /// Never answers, and keeps the connection.
    case stall
    /// Sends the head and so many bytes of the body, and then nothing, and keeps the connection.
    case stallAfter(byteCount: Int)
    /// Sends the head, which doesn't tell how long the body is, and the body, and never that it has ended.
    case neverEnd
    /// Sends the head and so many bytes of the body, and then the rest at so many bytes a second.
    case drip(afterByteCount: Int, bytesPerSecond: Int)

    func apply(to response: inout S3Response) {
        switch self {
        case .delay(let duration): response.delay += duration
        case .stall: response.interruption = (nil, .stall)
        case .stallAfter(let byteCount): response.interruption = (byteCount, .stall)
        case .neverEnd:
            response.announcesLength = false
            response.interruption = (response.bodyByteCount, .stall)
        case .drip(let byteCount, let bytesPerSecond):
            response.interruption = (byteCount, .slowDown(Pace(bytesPerSecond: bytesPerSecond)))
        }
    }
}
