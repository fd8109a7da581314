import ObjectStore
import SystemSupport
import Testing

@Suite("ETags") struct ETagTests {
    private static let digest = "9b2cf535f27731c974343645a3985328"

    @Test(arguments: [
        ("\"\(digest)\"", true), ("\"\(digest)-1\"", true), ("\"\(digest)-10000\"", true),
        ("\"\(digest)-65534\"", true), ("\"00000000000000000000000000000000\"", true),
        ("\"\(digest)-65535\"", false), ("\"\(digest)-99999\"", false), ("\"\(digest)-100000\"", false),
        ("\"\(digest)-0\"", false), ("\"\(digest)-012\"", false), ("\"\(digest)-\"", false),
        ("\"\(digest)-1a\"", false),
        ("\"\(digest)_1\"", false), ("\"\(digest.uppercased())\"", false), ("\"\(digest)0\"", false),
        ("\"g\(digest.dropFirst())\"", false), ("\"abc\"", false), ("\"é\"", false), ("\"'\(digest)'\"", false),
    ])
    func `An ETag has the text that it was created from, whether it is a digest or not`(text: String, isDigest: Bool) {
        let etag = ETag(text)
        #expect(etag.text == text)
        #expect((etag.digest != nil) == isDigest)
        #expect(etag == ETag(utf8: Array(text.utf8)))
        #expect(etag == ETag(validating: Array(text.utf8)))
        #expect(etag == ETag(stored: etag.text))
        #expect(etag.digest.map { ETag($0) == etag } ?? true)
        #expect(etag != ETag("\"\(Self.digest)-2\""))
        #expect(!etag.isStandIn)
    }

    @Test(arguments: ["\(digest)", "\(digest)-12", "abc", "686897696a7c876b7e-5"])
    func `An ETag is the same without quotation marks, as a weak tag, and with the suffix of a compressing proxy`(
        tag: String
    ) throws {
        let spellings = [
            tag, "W/\"\(tag)\"", "w/\"\(tag)\"", "W/\(tag)", " \"\(tag)\"\n", "\"\(tag)", "\(tag)\"", "\"\(tag)-gzip\"",
            "\(tag)-gzip", "\"\(tag)\"-gzip", "\"\(tag)--gzip\"", "\"\(tag);gzip\"", "W/\"\(tag)-gzip\"", "\(tag);gzip",
        ]
        for spelling in spellings {
            let etag = try #require(ETag(validating: Array(spelling.utf8)), "\(spelling)")
            #expect(etag == ETag("\"\(tag)\""), "\(spelling)")
            #expect(etag.text == "\"\(tag)\"", "\(spelling)")
            #expect(etag.hashValue == ETag("\"\(tag)\"").hashValue)
        }
    }

    @Test(arguments: [
        "\"\(digest)-12\"", "\"\(digest)-gzi\"", "\"\(digest)-zip\"", "\"-gzip\"", "\";gzip\"", "\"\(digest)-gzip-12\"",
        "\"W/\(digest)\"",
    ])
    func `An ETag keeps a suffix that no proxy adds`(text: String) {
        #expect(ETag(text).text == text)
    }

    @Test(arguments: ["", "\"\"", "W/\"\"", "  ", "\"", "\"a\"b\"", "a\"b", "\"a\nb\"", "\"a\u{7f}\"", "\"a\u{FFFD}\""])
    func `A text that could not be compared or sent is not an ETag`(text: String) {
        #expect(ETag(validating: Array(text.utf8)) == nil)
    }

    @Test func `The stand-in for an ETag depends on the time, and is the same after it was stored`() {
        let times = [
            Timestamp(seconds: 0), Timestamp(seconds: 1_520_961_904), Timestamp(seconds: 1, nanoseconds: 5),
            Timestamp(seconds: 1, nanoseconds: 500_000_000), Timestamp(seconds: -5, nanoseconds: 999_999_999),
        ]
        #expect(Set(times.map { ETag(standInFor: $0) }).count == times.count)
        for time in times {
            let etag = ETag(standInFor: time)
            #expect(etag.isStandIn && etag.digest == nil)
            #expect(etag.standInTime == time)
            #expect(ETag(stored: etag.text) == etag)
            // A store that has such a tag has another one.
            #expect(ETag(etag.text) != etag)
        }
        let unknown = ETag(standInFor: nil)
        #expect(unknown.isStandIn && unknown.standInTime == nil)
        #expect(unknown == ETag(standInFor: nil))
        #expect(ETag(stored: unknown.text) == unknown)
    }
}
