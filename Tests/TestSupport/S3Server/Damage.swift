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
    /// Sends another `Content-Range` than that of the bytes.
    case contentRange(String)
    /// Ignores the range: all of the object, with status 200.
    case wholeObject
    /// Announces and sends only the first so many bytes of what was asked for.
    case shorten(byteCount: Int)
    /// This body, announced as XML, with status 200.
    case xml(String)
    /// Another ETag in the header than the object's.
    case etag(String)
    /// This time of day, in place of none.
    case date(String)

    func apply(to response: inout S3Response) {
        switch self {
        case .html:
            let page = "<!DOCTYPE html><html><body><h1>Please log in to the network</h1></body></html>"
            response = S3Response(status: 200, headers: ["Content-Type": "text/html"], body: .text(page))
        case .closeAfter(let byteCount): response.interruption = (byteCount, .close)
        case .close: response.interruption = (nil, .close)
        case .reset: response.interruption = (nil, .reset)
        case .contentRange(let value): response.headers["Content-Range"] = value
        case .wholeObject:
            response.status = 200
            response.range = 0..<response.body.byteCount
            response.headers["Content-Range"] = nil
        case .shorten(let byteCount):
            response.range = response.range.prefix(byteCount)
        case .xml(let text):
            response = S3Response(status: 200, headers: ["Content-Type": "application/xml"], body: .text(text))
        case .etag(let value): response.headers["ETag"] = value
        case .date(let value): response.headers["Date"] = value
        }
    }
}
