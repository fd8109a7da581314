/// Ways of objects to change under a reader.
public enum Mutation: Sendable {
    /// Sends the first so many bytes, then overwrites the object with `body`, then sends the rest of the old bytes, as
    /// S3 does.
    case overwriteAfter(byteCount: Int, body: ObjectBody)
    /// Sends the first so many bytes, then deletes the object, then sends the rest.
    case deleteAfter(byteCount: Int)
    /// Answers from `contents` instead of the bucket's own, as a cache in between would.
    case answerFrom(StoreContents)

    func apply(to response: inout S3Response, request: S3Request, server: S3TestServer) {
        switch self {
        case .overwriteAfter(let byteCount, let body):
            response.interruption = (byteCount, .run { server.put(request.key, body) })
        case .deleteAfter(let byteCount):
            response.interruption = (byteCount, .run { server.delete(request.key) })
        case .answerFrom(let contents):
            response = server.answer(to: request, from: contents)
        }
    }
}
