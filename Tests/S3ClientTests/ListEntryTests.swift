import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

@Suite struct ListEntryTests {
    private static let usual =
        "<Contents><Key>d/a%20b.txt</Key><LastModified>2013-05-24T01:02:03.000Z</LastModified>"
        + "<ETag>&quot;9b2cf535f27731c974343645a3985328-12&quot;</ETag><ChecksumType>FULL_OBJECT</ChecksumType>"
        + "<Size>123</Size><StorageClass>GLACIER</StorageClass></Contents>"

    private static func scan(_ text: String) -> (objects: [ListPageElements.Object], index: Int, isCutOff: Bool) {
        Array(text.utf8).withUnsafeBytes { bytes in
            var scanner = ListEntryScanner(bytes, from: 0)
            var objects: [ListPageElements.Object] = []
            while let object = scanner.next() { objects.append(object) }
            return (objects, scanner.index, scanner.isCutOff)
        }
    }

    @Test func `objects of the usual form are read without the XML parser`() throws {
        let (objects, index, _) = Self.scan(Self.usual + "\n  " + Self.usual + "\n</ListBucketResult>")
        #expect(objects.count == 2 && index == 2 * Self.usual.utf8.count + 3)
        let object = try #require(objects.last)
        #expect(object.key == Array("d/a%20b.txt".utf8) && object.byteCount == 123 && object.storageClass == "GLACIER")
        #expect(object.etag == ETag("\"9b2cf535f27731c974343645a3985328-12\""))
        #expect(object.lastModified == Timestamp(iso8601: Array("2013-05-24T01:02:03.000Z".utf8)))
    }

    @Test(arguments: [
        ("<Key>", "<Key x=\"y\">"), ("a%20b", "é"), ("a%20b", "&amp;"), ("a%20b", "]]"), ("a%20b", "\n"),
        ("a%20b", "<![CDATA[a]]>"), ("</Key>", "</Name>"), ("<Size>", "<Size><!-- -->"), ("123", "1e3"),
        ("123", " 123"),
        ("123", "1234567890123456"), ("9b2cf", "9B2CF"), ("<Contents>", "<Contents >"), ("2013-05-24T", "2013-05-24 "),
        ("GLACIER", " GLACIER"), ("<Size>", "<s3:Size>"), ("a%20b", String(repeating: "x", count: 5_000)),
    ])
    func `an object of another form is left to the XML parser`(part: String, other: String) {
        let text = Self.usual.replacing(part, with: other, maxReplacements: 1)
        #expect(text != Self.usual && Self.scan(text).objects.isEmpty)
    }

    @Test func `an object that is cut off at any byte is read when it is complete`() {
        let text = "\n" + Self.usual
        for byteCount in 0..<text.utf8.count {
            let (objects, index, isCutOff) = Self.scan(String(decoding: text.utf8.prefix(byteCount), as: UTF8.self))
            #expect(objects.isEmpty && index == 0 && isCutOff, "\(byteCount) bytes")
        }
        #expect(!Self.scan("<IsTruncated>").isCutOff)
        #expect(!Self.scan("<Contents><Key>" + String(repeating: "x", count: 5_000)).isCutOff)
    }

    /// Parts of documents, from usual to hostile.
    private static let parts = [
        usual, usual, usual, "\n", "  ", "]]>", "]", "&", "<", "\u{1}", "text", "&#1;", "</Contents>", "<Contents>",
        "<Contents/>", "<Contents><Key>z</Key></Contents>", "<Contents><Key>z</Key><Size>1</Size></Contents>",
        "<Contents><Key>d/+%7a</Key><Size>1</Size></Contents>", "<Contents><Key>d/%zz</Key><Size>1</Size></Contents>",
        "<Contents><Key>d/&#233;&amp;é</Key><Size>1</Size><ETag>e</ETag></Contents>",
        "<Contents> <Key>d/x]</Key> <Size> 2</Size> <ETag>\"9b2cf535f27731c974343645a3985328\"</ETag> </Contents>",
        "<Contents><Size>3</Size><Owner><ID>1</ID></Owner><Key>d/o</Key></Contents>",
        "<Contents><Key>d/1</Key><Key>d/2</Key><Size>3</Size><Size>4</Size></Contents>",
        "<Contents><Key>d/<![CDATA[c]]></Key><Size>1</Size></Contents>",
        "<!-- ", " -->", "<![CDATA[", "]]>", "<?x ", "?>", "<CommonPrefixes><Prefix>d/p/</Prefix></CommonPrefixes>",
        "<EncodingType>url</EncodingType>", "<IsTruncated>true</IsTruncated>", "<NextMarker>d/%7A</NextMarker>",
        "<NextContinuationToken>t</NextContinuationToken>", "<Other>", "</Other>", "</ListBucketResult>",
        "<Contents><Key>d/" + String(repeating: "x", count: 4_090) + "</Key><Size>1</Size></Contents>",
    ]

    private struct Outcome: Equatable {
        var page: ListPage?
        var flaws: ListFlaws
        var code: StoreError.Code?
    }

    private static func read(_ bytes: [UInt8], step: Int) -> Outcome {
        let reader = ListPageReader(request: ListRequest(prefix: "d/", isDelimited: true))
        do throws(StoreError) {
            for start in stride(from: 0, to: bytes.count, by: step) {
                try reader.receive(Array(bytes[start..<min(start + step, bytes.count)]).span.bytes)
            }
            let page = try reader.finish()
            return Outcome(page: page, flaws: reader.flaws)
        } catch {
            return Outcome(flaws: reader.flaws, code: error.code)
        }
    }

    @Test(arguments: 0..<400)
    func `a listing has the page that the XML parser finds, whatever it contains`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var text = "<ListBucketResult>"
        // Few documents with a hostile part are listings, so most of the parts are harmless.
        for index in 0..<Int.random(in: 1...30, using: &random) {
            let isAny = Int.random(in: 0..<16, using: &random) == 0
            let part = (isAny ? Self.parts[...] : Self.parts[..<5]).randomElement(using: &random) ?? ""
            text += part.replacing("d/a", with: "d/\(index)")
        }
        if Int.random(in: 0..<8, using: &random) > 0 { text += "</ListBucketResult>" }
        var bytes = Array(text.utf8)
        for _ in 0..<Int.random(in: 0...2, using: &random) {
            bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        // Only the XML parser reads a tag with a blank, which means the same.
        let parsed = bytes.replacing(Array("<Contents>".utf8), with: Array("<Contents >".utf8))
        let expected = Self.read(parsed, step: parsed.count)
        for step in [1, 2, 7, 64, 1_000, 100_000] {
            #expect(Self.read(bytes, step: step) == expected, "seed \(seed), pieces of \(step) bytes")
        }
    }
}
