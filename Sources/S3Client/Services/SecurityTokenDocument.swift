import ObjectStore
import SystemSupport

/// What the Security Token Service answers: credentials, or an error.
struct SecurityTokenDocument {
    private(set) var accessKeyID: String?
    private(set) var secretAccessKey: String?
    private(set) var sessionToken: String?
    private(set) var expiry: Timestamp?
    private(set) var code: String?
    private(set) var message = ""

    /// Reads what can be read.
    init(parsing bytes: [UInt8]) {
        let elements = Elements()
        let reader = XMLReader(consumer: elements)
        // A document that breaks off lacks what is asked for then.
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
            case (4, "Expiration"): document.expiry = Timestamp(iso8601: text)
            case (3, "Code"): document.code = Excerpt.of(text)
            // Some errors have the whole request that should have been signed behind the first line.
            case (3, "Message"): document.message = Excerpt.of(text.prefix { $0 != UInt8(ascii: "\n") })
            default: break
            }
        }
    }
}
