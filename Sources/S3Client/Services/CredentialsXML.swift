import ObjectStore
import SystemSupport

/// An XML document with temporary credentials, or with an error: a response of the Security Token Service, or to
/// CreateSession.
struct CredentialsXML {
    private(set) var accessKeyID: String?
    private(set) var secretAccessKey: String?
    private(set) var sessionToken: String?
    private(set) var expiry: Timestamp?
    private(set) var code: String?
    private(set) var message = ""

    /// Reads the elements that are present.
    ///
    /// - Parameter isSession: `true` for a response to CreateSession; another document then has no credentials.
    init(parsing bytes: [UInt8], isSession: Bool = false) {
        let elements = Elements(isSession: isSession)
        let reader = XMLReader(consumer: elements)
        // An incomplete document lacks required elements, which the caller checks.
        try? reader.read(bytes.span.bytes, isLast: true)
        self = elements.document
    }

    private init() {}

    private final class Elements: XMLConsumer {
        private let isSession: Bool
        private var isExpected = true
        private(set) var document = CredentialsXML()

        init(isSession: Bool) {
            self.isSession = isSession
        }

        func begin(_ element: XMLName, depth: Int) {
            if depth == 1, isSession { isExpected = element == "CreateSessionResult" }
        }

        func end(_ element: XMLName, depth: Int, text: [UInt8]) {
            guard isExpected else { return }
            let value = String(decoding: text, as: UTF8.self)
            // The Security Token Service has one more level, the name of the action.
            switch (isSession ? depth + 1 : depth, element) {
            case (4, "AccessKeyId"): document.accessKeyID = value
            case (4, "SecretAccessKey"): document.secretAccessKey = value
            case (4, "SessionToken"): document.sessionToken = value
            case (4, "Expiration"): document.expiry = Timestamp(iso8601: text)
            case (3, "Code"): document.code = Excerpt.of(text)
            // Some messages have further lines with the string that should have been signed.
            case (3, "Message"): document.message = Excerpt.of(text.prefix { $0 != UInt8(ascii: "\n") })
            default: break
            }
        }
    }
}
