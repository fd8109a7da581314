import ObjectStore

/// A response of the Security Token Service: credentials or an error.
struct SecurityTokenDocument {
    private(set) var accessKeyID: String?
    private(set) var secretAccessKey: String?
    private(set) var sessionToken: String?
    private(set) var expiry: Timestamp?
    private(set) var code: String?
    private(set) var message = ""

    /// Reads the elements that are present.
    init(parsing bytes: [UInt8]) {
        let elements = Elements()
        let reader = XMLReader(consumer: elements)
        // An incomplete document lacks required elements, which the caller checks.
        try? reader.read(bytes.span.bytes, isLast: true)
        self = elements.document
    }

    private init() {}

    private final class Elements: XMLConsumer {
        var document = SecurityTokenDocument()

        func begin(_ element: XMLName, depth: Int) {}

        func end(_ element: XMLName, depth: Int, text: [UInt8]) {
            let value = String(decoding: text, as: UTF8.self)
            switch (depth, element) {
            case (4, "AccessKeyId"): document.accessKeyID = value
            case (4, "SecretAccessKey"): document.secretAccessKey = value
            case (4, "SessionToken"): document.sessionToken = value
            case (4, "Expiration"): document.expiry = CalendarTime(listing: text)?.timestamp
            case (3, "Code"): document.code = Excerpt.of(text)
            // Some messages have further lines with the string that should have been signed.
            case (3, "Message"): document.message = Excerpt.of(text.prefix { $0 != UInt8(ascii: "\n") })
            default: break
            }
        }
    }
}
