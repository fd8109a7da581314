import ObjectStore
import Testing

@Suite struct `An ETag` {
    private static let digest = "9b2cf535f27731c974343645a3985328"

    @Test(arguments: [
        ("\"\(digest)\"", true), ("\"\(digest)-1\"", true), ("\"\(digest)-10000\"", true),
        ("\"\(digest)-65534\"", true), ("\"00000000000000000000000000000000\"", true),
        ("\"\(digest)-65535\"", false), ("\"\(digest)-99999\"", false), ("\"\(digest)-100000\"", false),
        ("\"\(digest)-0\"", false), ("\"\(digest)-012\"", false), ("\"\(digest)-\"", false),
        ("\"\(digest)-1a\"", false),
        ("\"\(digest)_1\"", false), ("\"\(digest.uppercased())\"", false), (digest, false), ("\"\(digest)", false),
        ("W/\"\(digest)\"", false), ("\"\(digest)0\"", false), ("\"g\(digest.dropFirst())\"", false),
        ("\"abc\"", false),
        ("", false), ("\"é\"", false), ("'\(digest)'", false),
    ])
    func `is the text that it was given, as a digest or not`(text: String, isDigest: Bool) {
        let etag = ETag(text)
        #expect(etag.text == text)
        #expect((etag.digest != nil) == isDigest)
        #expect(etag == ETag(utf8: Array(text.utf8)))
        #expect(etag.digest.map { ETag($0) == etag } ?? true)
        #expect(etag != ETag("\"\(Self.digest)-2\""))
    }
}
