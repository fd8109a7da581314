/// Ways of a server, or of what is between it and us, to answer wrongly.
public enum Damage: Sendable {
    /// A page of a proxy in place of the answer: status 200, `text/html`.
    case html
    /// Closes the connection after so many bytes of the body, fewer than announced.
    case closeAfter(byteCount: Int)
    /// Closes the connection without an answer.
    case close
    /// Resets the connection without an answer.
    case reset
    /// Resets the connection after so many bytes of the body.
    case resetAfter(byteCount: Int)
    /// Sends another `Content-Range` than that of the bytes.
    case contentRange(String)
    /// Ignores the range: all of the object, with status 200.
    case wholeObject
    /// Announces and sends only the first so many bytes of what was asked for.
    case shorten(byteCount: Int)
    /// Announces and sends so many bytes more than were asked for.
    case lengthen(byteCount: Int)
    /// Announces what was asked for, and sends so many bytes more.
    case overrun(byteCount: Int)
    /// This body, announced as XML, with status 200.
    case xml(String)
    /// Another ETag in the header than the object's.
    case etag(String)
    /// Beside, or in place of, the right ones, this header.
    case header(String, String)

    func apply(to response: inout S3Response) {
        switch self {
        case .html:
            let page = "<!DOCTYPE html><html><body><h1>Please log in to the network</h1></body></html>"
            response = S3Response(status: 200, headers: ["Content-Type": "text/html"], body: .text(page))
        case .closeAfter(let byteCount): response.interruption = (byteCount, .close)
        case .close: response.interruption = (nil, .close)
        case .reset: response.interruption = (nil, .reset)
        case .resetAfter(let byteCount): response.interruption = (byteCount, .reset)
        case .contentRange(let value): response.headers["Content-Range"] = value
        case .wholeObject:
            response.status = 200
            response.range = 0..<response.body.byteCount
            response.headers["Content-Range"] = nil
        case .shorten(let byteCount):
            response.range = response.range.prefix(byteCount)
        case .lengthen(let byteCount):
            response.surplusByteCount = byteCount
            response.announcesSurplus = true
        case .overrun(let byteCount): response.surplusByteCount = byteCount
        case .xml(let text):
            response = S3Response(status: 200, headers: ["Content-Type": "application/xml"], body: .text(text))
        case .etag(let value): response.headers["ETag"] = value
        case .header(let name, let value): response.headers[name] = value
        }
    }
}
