import ObjectStore
import Testing

@testable import S3Client

@Suite struct `Percent-encoding` {
    @Test(arguments: [
        ("plain-._~09AZaz", "plain-._~09AZaz"), ("a b", "a%20b"), ("a+b", "a%2Bb"), ("a%2Bb", "a%252Bb"),
        ("a//b/../c", "a//b/../c"), ("é", "%C3%A9"), ("e\u{301}", "e%CC%81"), ("漢🧠", "%E6%BC%A2%F0%9F%A7%A0"),
        ("&=?#;:@,!$*'()", "%26%3D%3F%23%3B%3A%40%2C%21%24%2A%27%28%29"), ("\t\n\0", "%09%0A%00"),
    ])
    func `a path keeps its slashes and nothing else that is reserved`(text: String, encoded: String) {
        #expect(PercentEncoding.encode(text.utf8, as: .path) == encoded)
    }

    @Test func `a query's slash is encoded`() {
        #expect(PercentEncoding.encode("a/b".utf8, as: .query) == "a%2Fb")
    }

    @Test(arguments: [
        ("a+b", "a b"), ("a%20b", "a b"), ("a%2Bb", "a+b"), ("a%2bb", "a+b"), ("a/b", "a/b"), ("%252B", "%2B"),
        ("", ""),
    ])
    func `a listing's keys decode`(text: String, decoded: String) {
        #expect(PercentEncoding.decodeForm(Array(text.utf8)) == Array(decoded.utf8))
    }

    @Test(arguments: ["%", "a%2", "%zz", "%+1"])
    func `a broken escape is refused`(text: String) {
        #expect(PercentEncoding.decodeForm(Array(text.utf8)) == nil)
    }

    @Test func `every byte survives both ways`() {
        let bytes = (UInt8.min...UInt8.max).map { $0 }
        #expect(PercentEncoding.decodeForm(Array(PercentEncoding.encode(bytes, as: .query).utf8)) == bytes)
    }
}

@Suite struct `Text from outside` {
    @Test(arguments: [
        ("<html><b>Log  in</b>\n here</html>", "Log in here"), ("a\u{1B}[31mb", "a [31mb"), ("\u{202E}x\r\ny", "x y"),
    ])
    func `becomes one plain line`(text: String, excerpt: String) {
        #expect(Excerpt.of(text.utf8) == excerpt)
    }

    @Test func `is cut`() {
        #expect(Excerpt.of(String(repeating: "x", count: 999).utf8, limit: 5) == "xxxxx…")
    }
}

@Suite struct `A secret that a server repeats` {
    private let token = String((0..<600).map { Character(UnicodeScalar(UInt8(ascii: "a") + UInt8($0 * $0 / 7 % 26))) })
    private let key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    @Test func `is removed as a whole, cut off, and from its middle`() {
        let secrets = SecretText([token, key])
        for piece in [
            token, key, String(token.prefix(180)), String(token.dropFirst(17).prefix(12)), "x\(key)y\(token)",
        ] {
            let rest = secrets.removed(from: "you sent \(piece): go away, éà!")
            #expect(rest.hasPrefix("you sent ") && rest.hasSuffix(": go away, éà!"))
            #expect(rest.count < 32, "\(rest)")
        }
    }

    @Test func `leaves other text as it is`() {
        let secrets = SecretText([token, "short", nil], phrases: ["AWS4-HMAC-SHA256 Signature=1"])
        for text in ["", "short", "Please use AWS4-HMAC-SHA256.", String(token.prefix(11))] {
            #expect(secrets.removed(from: text) == text)
        }
        #expect(secrets.removed(from: "“AWS4-HMAC-SHA256 Signature=1”") == "“[…]”")
    }

    @Test func `is none of a request's, however long and in whatever part of the answer`() {
        let headers = [
            HTTPHeader(
                "Authorization", "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20300101, Signature=0123456789abcdef"
            ),
            HTTPHeader("x-amz-security-token", token),
            HTTPHeader(CustomerKey.headerName, "S0tLS0tLS0tLS0tLS0tLS0tLS0s="),
        ]
        let request = ClientContext.SignedRequest(
            url: "", headers: headers, route: Route(proxy: nil, host: nil, addresses: []), server: "s", region: "r",
            credentials: Credentials(accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: key, sessionToken: token),
            isUnproven: false)
        for part in headers.map(\.value) + [key, "Signature=0123456789abcdef"] {
            let failure = request.hidingSecrets(
                in: AttemptFailure(
                    StoreError(.refused, Excerpt.of("no: \(part)".utf8), requestID: part), answer: "x \(part)"))
            let text = "\(failure.answer) \(failure.error.message) \(failure.error.requestID ?? "")"
            for secret in ["AKIAIOSF", "01234567", "S0tLS0tL", "wJalrXUt", String(token.prefix(12))] {
                #expect(!text.contains(secret), "\(text)")
            }
        }
    }
}
