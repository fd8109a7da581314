/// S3's error document ("Error responses" in the Amazon S3 API Reference).
struct ErrorDocument: Equatable {
    var code = ""
    var message = ""
    var requestID: String?
    var region: String?

    /// Reads the document.
    ///
    /// - Returns: `nil` if the bytes are not an error document.
    init?(parsing bytes: [UInt8]) {
        let elements = Elements()
        let reader = XMLReader(consumer: elements)
        do {
            try reader.read(bytes.span.bytes, isLast: true)
        } catch {
            return nil
        }
        guard elements.isError, !elements.document.code.isEmpty else { return nil }
        self = elements.document
    }

    private init() {}

    private final class Elements: XMLConsumer {
        var isError = false
        var document = ErrorDocument()

        func begin(_ element: XMLName, depth: Int) {
            if depth == 1 { isError = element == "Error" }
        }

        func end(_ element: XMLName, depth: Int, text: [UInt8]) {
            guard depth == 2 else { return }
            switch element {
            case "Code": document.code = Excerpt.of(text)
            case "Message": document.message = Excerpt.of(text)
            case "RequestId": document.requestID = Excerpt.of(text)
            case "Region": document.region = Excerpt.of(text)
            default: break
            }
        }
    }
}
