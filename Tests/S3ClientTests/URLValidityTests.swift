import ObjectStore
import SystemSupport
import Testing

@testable import S3Client

@Suite("A presigned URL") struct URLValidityTests {
    private static let now = 1_800_000_000
    private static let hour = 3_600

    /// Whose credentials, in how many hours they end, for how many hours a URL is asked for; how many it has, and why.
    private typealias Case = (
        ResolvedCredentials.Kind, ends: Int?, asked: Int, has: Int, ObjectURL.Constraint?
    )

    private static let cases: [Case] = [
        (.user, nil, 1, 1, nil), (.user, nil, 168, 168, nil), (.user, 3, 168, 3, .credentialsExpiry),
        (.session, 2, 1, 1, nil), (.session, 2, 2, 2, nil), (.session, 2, 3, 2, .credentialsExpiry),
        (.session, 48, 36, 36, nil), (.session, 48, 37, 36, .sessionMaximum),
        (.session, 12, 168, 12, .credentialsExpiry),
        (.session, nil, 1, 1, .unknownExpiry), (.session, nil, 37, 36, .unknownExpiry),
        (.instance, 12, 6, 6, nil), (.instance, 12, 7, 6, .instanceMaximum), (.instance, 5, 7, 5, .credentialsExpiry),
        (.instance, nil, 2, 2, .unknownExpiry), (.instance, nil, 168, 6, .unknownExpiry),
    ]

    /// The store's clock may be ahead of ours, or behind.
    @Test("works no longer than the credentials that signed it", arguments: cases.indices, [0, 3_000, -3_000])
    func validity(index: Int, storeOffset: Int) {
        let (kind, ends, asked, has, constraint) = Self.cases[index]
        let resolved = ResolvedCredentials(
            credentials: Credentials(accessKeyID: "ID", secretAccessKey: "secret"), source: "a test",
            expiry: ends.map { Timestamp(seconds: Self.now + $0 * Self.hour) }, kind: kind)
        let validity = URLValidity(
            signedAt: Timestamp(seconds: Self.now + storeOffset), localTime: Timestamp(seconds: Self.now),
            lifetime: asked * Self.hour, with: resolved)
        #expect(validity.expiry == Timestamp(seconds: Self.now + storeOffset + has * Self.hour))
        #expect(validity.constraint == constraint)
    }

    @Test func `shows nothing of its signature when it is printed`() {
        let url = ObjectURL(text: "https://b.example.org/k?X-Amz-Signature=abc", expiry: nil, constraint: nil)
        var dumped = ""
        dump(url, to: &dumped)
        #expect("\(url)" == "https://b.example.org/k")
        #expect(!dumped.contains("abc"))
    }
}
