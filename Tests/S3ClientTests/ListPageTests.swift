import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

private func contents(_ key: String, size: String = "1") -> String {
    "<Contents><Key>\(key)</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
        + "<Size>\(size)</Size><StorageClass>STANDARD</StorageClass></Contents>"
}

private func common(_ prefix: String) -> String {
    "<CommonPrefixes><Prefix>\(prefix)</Prefix></CommonPrefixes>"
}

private func listing(_ inner: String, truncated: Bool = false) -> String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        + "<Name>b</Name><IsTruncated>\(truncated)</IsTruncated>\(inner)</ListBucketResult>"
}

/// Reads a listing, `step` bytes at a time.
private func read(
    _ xml: String, step: Int = 7, request: ListRequest = ListRequest(prefix: "", isDelimited: true)
) throws(StoreError) -> ListPage {
    try readAll(xml, step: step, request: request).0
}

/// Reads a listing, and counts the entries that are not as they should be.
private func readAll(
    _ xml: String, step: Int = 7, request: ListRequest = ListRequest(prefix: "", isDelimited: true)
) throws(StoreError) -> (ListPage, ListFlaws) {
    let reader = ListPageReader(request: request)
    let bytes = Array(xml.utf8)
    for start in stride(from: 0, to: bytes.count, by: step) {
        try reader.receive(Array(bytes[start..<min(start + step, bytes.count)]).span.bytes)
    }
    return (try reader.finish(), reader.flaws)
}

@Suite struct `A listing` {
    @Test(arguments: [1, 7, 100_000])
    func `merges objects and common prefixes in the order of their bytes`(step: Int) throws {
        let page = try read(
            listing(contents("a") + contents("a!") + contents("b") + common("a-/") + common("a/")), step: step)
        #expect(page.items.map(\.key) == ["a", "a!", "a-/", "a/", "b"])
        #expect(page.next == nil)
    }

    @Test func `keeps all of an object's fields`() throws {
        let page = try read(listing(contents("k", size: "5368709120")))
        let version = ObjectVersion(key: "k", etag: ETag("\"e\""), byteCount: 5_368_709_120)
        #expect(
            page.items == [.object(ListedObject(version: version, lastModified: Timestamp(seconds: 1_369_353_600)))])
    }

    @Test func `decodes keys where the answer says so, also behind them`() throws {
        let encoded = contents("a%2Bb+%26%0A%C3%A9")
        #expect(try read(listing(encoded)).items.map(\.key) == ["a%2Bb+%26%0A%C3%A9"])
        #expect(
            try read(listing(encoded + "<EncodingType>url</EncodingType>")).items.map(\.key) == ["a+b &\né"])
    }

    @Test func `unescapes XML's own entities`() throws {
        #expect(try read(listing(contents("&lt;&amp;&#x41;"))).items.map(\.key) == ["<&A"])
    }

    @Test func `goes on where it says`() throws {
        let xml = contents("a") + "<NextContinuationToken>t/+=</NextContinuationToken>"
        #expect(try read(listing(xml, truncated: true)).next == ContinuationToken("t/+="))
    }

    @Test(arguments: ["false", "False", "FALSE", " false\n"])
    func `has ended where it says so, whatever token it has`(word: String) throws {
        for token in ["NextContinuationToken", "NextMarker"] {
            let page = try read(untold("<IsTruncated>\(word)</IsTruncated>" + contents("a") + "<\(token)>t</\(token)>"))
            #expect(page.next == nil)
        }
    }

    @Test(arguments: ["true", "True", "TRUE", "\ttrue "])
    func `goes on where it says so in any case`(word: String) throws {
        let token = "<NextContinuationToken>t</NextContinuationToken>"
        #expect(
            try read(untold(token + contents("a") + "<IsTruncated>\(word)</IsTruncated>")).next
                == ContinuationToken("t"))
    }

    @Test(arguments: ["", "<IsTruncated/>"])
    func `that doesn't say whether it has ended goes on where there is a token`(field: String) throws {
        let token = "<NextContinuationToken>t</NextContinuationToken>"
        #expect(try read(untold(field + contents("a") + token)).next == ContinuationToken("t"))
        #expect(try read(untold(field + contents("a"))).next == nil)
    }

    @Test func `of version 1 goes on behind its marker, or behind the greatest key`() throws {
        func next(_ xml: String) throws -> ContinuationToken? { try read(listing(xml, truncated: true)).next }
        #expect(try next(contents("a") + "<NextMarker>a+b</NextMarker>") == ContinuationToken(marker: "a+b"))
        #expect(
            try next(contents("a") + "<NextMarker>a%2Bb</NextMarker><EncodingType>url</EncodingType>")
                == ContinuationToken(marker: "a+b"))
        #expect(try next(contents("a") + contents("b")) == ContinuationToken(marker: "b"))
        #expect(try next(contents("a") + common("b/")) == ContinuationToken(marker: "b/"))
        #expect(try next(contents("c") + common("b/")) == ContinuationToken(marker: "c"))
        #expect(try next(contents("c") + contents("d", size: "?")) == ContinuationToken(marker: "d"))
    }

    @Test func `may be empty, and so may a token`() throws {
        #expect(try read(listing("")) == ListPage(items: []))
        #expect(try read(listing("<NextContinuationToken></NextContinuationToken>")) == ListPage(items: []))
    }

    @Test func `leaves out the key it starts after, and the common prefix that this is in`() throws {
        let request = ListRequest(prefix: "", isDelimited: true, startAfter: "b/c")
        let page = try read(listing(contents("b/c") + contents("c") + common("b/")), request: request)
        #expect(page == (try read(listing(contents("c")), request: request)))
        #expect(page.items.map(\.key) == ["c"])
        #expect(page.isOrdered)
    }

    @Test(arguments: [
        (contents("a") + contents("c"), ["a", "c"]), (contents("c") + common("a/"), ["a/", "c"]),
        (contents("b") + contents("c"), ["b", "c"]),
    ])
    func `that begins before the key it starts after keeps all, and says that it is not ordered`(
        xml: String, keys: [String]
    ) throws {
        let request = ListRequest(prefix: "", isDelimited: true, startAfter: "b/c")
        let page = try read(listing(xml), request: request)
        #expect(page.items.map(\.key) == keys.map { Key($0) })
        #expect(!page.isOrdered)
    }

    @Test(arguments: [
        (contents("b") + contents("a") + common("c/"), ["b", "a", "c/"]),
        (common("sub-01/") + common("sub-01-extra/"), ["sub-01/", "sub-01-extra/"]),
        (common("b/") + common("a/") + contents("c") + contents("d"), ["c", "d", "b/", "a/"]),
        (contents("b") + contents("a") + contents("b"), ["b", "a"]),
        (contents("b") + contents("a/") + contents("a") + common("a/"), ["b", "a", "a/"]),
    ])
    func `out of order keeps all as it came, each once, and says so`(xml: String, keys: [String]) throws {
        let page = try read(listing(xml))
        #expect(page.items.map(\.key) == keys.map { Key($0) })
        #expect(!page.isOrdered)
    }

    @Test func `gives a key that is a common prefix too once, as a folder`() throws {
        let page = try read(listing(contents("a/") + contents("b") + common("a/") + common("c/")))
        #expect(page.items.map(\.key) == ["a/", "b", "c/"])
        #expect(page.items.first == .commonPrefix("a/"))
        #expect(page.isOrdered)
    }
}

/// A listing that doesn't say whether there is more.
private func untold(_ inner: String) -> String {
    "<ListBucketResult><Name>b</Name>\(inner)</ListBucketResult>"
}

/// A listing whose keys are said to be encoded.
private func encoded(_ inner: String) -> String {
    listing("<EncodingType>url</EncodingType>" + inner)
}

@Suite struct `A listing of another store` {
    @Test(arguments: [
        "2018-03-13T17:25:04.000Z", "2018-03-13T17:25:04Z", "2018-03-13T17:25:04", "2018-03-13 17:25:04",
        "2018-03-13 17:25:04.000", "2018-03-13t17:25:04z", "2018-03-13T17:25:04,000Z", "2018-03-13 17:25:04 UTC",
        "2018-03-13 17:25:04 +0000", "2018-03-13 19:25:04 +02:00", "2018-03-13T17:25:04.0000000000Z",
        "  2018-03-13T17:25:04Z\n", "Tue, 13 Mar 2018 17:25:04 GMT", "Tue, 13 Mar 2018 17:25:04 UTC",
        "tue, 13 mar 2018 17:25:04 gmt", "Tue, 13 Mar 2018 17:25:04 +0000", "Tue, 13 Mar 2018 13:25:04 -0400",
        "Tuesday, 13-Mar-18 17:25:04 GMT", "Tue Mar 13 17:25:04 2018",
    ])
    func `may write times otherwise`(text: String) throws {
        let xml = contents("a").replacing("2013-05-24T00:00:00.000Z", with: text)
        guard case .object(let object) = try read(listing(xml)).items.first else { throw StoreError(.refused, "none") }
        #expect(object.lastModified == Timestamp(seconds: 1_520_961_904))
    }

    @Test(arguments: [
        "yesterday", "", "2013-02-30T00:00:00Z", "0", "2013-05-24T25:00:00Z", "Tue, 13 Mär 2018 17:25:04 GMT",
    ])
    func `may write a time that can't be read, of an object that is there`(text: String) throws {
        let (page, flaws) = try readAll(
            listing(contents("a").replacing("2013-05-24T00:00:00.000Z", with: text) + contents("b")))
        guard case .object(let object) = page.items.first else { throw StoreError(.refused, "none") }
        #expect(object.lastModified == .unknown)
        #expect(object.version.etag == ETag("\"e\""))
        #expect(page.items.map(\.key) == ["a", "b"])
        #expect(flaws.counts == [.noTime: 1])
    }

    @Test(arguments: [
        "<ETag></ETag>", "<ETag/>", "", "<ETag>&quot;&quot;</ETag>", "<ETag> W/\"\" </ETag>", "<ETag>a&#10;b</ETag>",
    ])
    func `may have no ETag, of an object that its time identifies`(field: String) throws {
        let (page, flaws) = try readAll(
            listing(contents("a").replacing("<ETag>&quot;e&quot;</ETag>", with: field) + contents("b")))
        guard case .object(let object) = page.items.first else { throw StoreError(.refused, "none") }
        #expect(object.version.etag == ETag(standInFor: Timestamp(seconds: 1_369_353_600)))
        #expect(page.items.map(\.key) == ["a", "b"])
        #expect(flaws.counts == [.noETag: 1])
    }

    @Test(arguments: [
        ("no size", contents("b").replacing("<Size>1</Size>", with: ""), ListFlaws.Kind.noSize),
        ("a negative size", contents("b", size: "-1"), .noSize), ("an empty size", contents("b", size: ""), .noSize),
        ("a size beyond 64 bits", contents("b", size: "99999999999999999999"), .noSize),
        ("a size to overflow by", contents("b", size: "9223372036854775807"), .noSize),
        ("a size that is no number", contents("b", size: "1x"), .noSize),
        ("an empty key", contents(""), .badKey), ("no key", "<Contents><Size>1</Size></Contents>", .badKey),
        ("a key with a control character", contents("b&#1;"), .badKey),
        ("the same as a byte", contents("b\u{1}"), .badKey),
        ("a key with half a character", contents("b&#xD800;"), .badKey),
        ("a common prefix without a slash", common("b"), .badKey), ("an empty common prefix", common(""), .badKey),
        ("a key twice", contents("a") + contents("c"), .repeated),
    ])
    func `may have an entry that no file can be made of, which affects no other`(
        what: String, entry: String, kind: ListFlaws.Kind
    ) throws {
        for step in [1, 5, 100_000] {
            let (page, flaws) = try readAll(listing(contents("a") + entry + contents("d") + common("e/")), step: step)
            #expect(page.items.map(\.key).filter { $0 != "c" } == ["a", "d", "e/"], "\(what)")
            #expect(flaws.counts == [kind: 1], "\(what)")
            #expect(page.isOrdered, "\(what)")
        }
    }

    @Test func `may hold keys outside the prefix, which are left out`() throws {
        let request = ListRequest(prefix: "p/", isDelimited: true)
        let (page, flaws) = try readAll(listing(contents("a") + contents("p/b") + common("q/")), request: request)
        #expect(page.items.map(\.key) == ["p/b"])
        #expect(flaws.counts == [.outsidePrefix: 2])
    }

    @Test(arguments: [1, 2, 3, 100_000])
    func `may hold bytes that are no text, where only that key is left out`(step: Int) throws {
        let bad: [[UInt8]] = [
            [0xE9], [0xC3], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xC0, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xEF, 0xBF, 0xBF], [0x00],
        ]
        for bytes in bad {
            let xml = Array(listing(contents("a") + contents("MARK") + contents("zé€𝄞")).utf8)
            let mark = Array("MARK".utf8)
            let start = try #require(xml.indices.first { xml[$0...].starts(with: mark) })
            let reader = ListPageReader(request: ListRequest(prefix: "", isDelimited: true))
            let answer = Array(xml[..<start]) + bytes + Array(xml[(start + mark.count)...])
            for index in stride(from: 0, to: answer.count, by: step) {
                try reader.receive(Array(answer[index..<min(index + step, answer.count)]).span.bytes)
            }
            #expect(try reader.finish().items.map(\.key) == ["a", "zé€𝄞"])
            #expect(reader.flaws.counts == [.badKey: 1])
        }
    }

    @Test(arguments: ["%zz", "100%.txt", "100%", "a%2", "%"])
    func `that says it is encoded is not, where one key can't be`(key: String) throws {
        let xml = contents(key) + contents("aparc+aseg.mgz") + common("b+c%41/")
        for xml in [encoded(xml), listing(xml + "<EncodingType> URL </EncodingType>")] {
            #expect(Set(try read(xml).items.map(\.key)) == [Key(key), "aparc+aseg.mgz", "b+c%41/"])
        }
    }

    @Test func `that says it is encoded is not, where its keys have the prefix only as they stand`() throws {
        let request = ListRequest(prefix: "a+b/", isDelimited: true)
        #expect(try read(encoded(contents("a+b/c+d")), request: request).items.map(\.key) == ["a+b/c+d"])
        #expect(try read(encoded(contents("a%2Bb/c+d")), request: request).items.map(\.key) == ["a+b/c d"])
    }

    @Test(arguments: ["url", "URL", "Url", " url\n"])
    func `may say in any case that it is encoded`(word: String) throws {
        let xml = listing(contents("a%2Bb+é") + "<EncodingType>\(word)</EncodingType>")
        #expect(try read(xml).items.map(\.key) == ["a+b é"])
    }

    @Test func `that is known not to be encoded is read as it stands`() throws {
        let reader = ListPageReader(request: ListRequest(prefix: "", isDelimited: true), isEncodingIgnored: true)
        try reader.receive(Array(encoded(contents("a+b%41")).utf8).span.bytes)
        #expect(try reader.finish().items.map(\.key) == ["a+b%41"])
    }

    @Test func `may have white space around values, but not in keys`() throws {
        let xml =
            "<Contents><Key> a </Key><LastModified> 2013-05-24T00:00:00.000Z\n</LastModified>"
            + "<ETag>\n&quot;e&quot; </ETag><Size> 007\t</Size><StorageClass> STANDARD </StorageClass></Contents>"
        let version = ObjectVersion(key: " a ", etag: ETag("\"e\""), byteCount: 7)
        let object = ListedObject(version: version, lastModified: Timestamp(seconds: 1_369_353_600))
        #expect(try read(listing(xml)).items == [.object(object)])
    }

    @Test func `may have namespace prefixes, attributes, unknown elements and a byte order mark`() throws {
        let plain = try read(listing(contents("a") + common("b/") + "<EncodingType>url</EncodingType>"))
        let xml =
            "\u{FEFF}<?xml version=\"1.0\"?><s3:ListBucketResult xmlns:s3=\"x\"><s3:Extra><s3:Key>n</s3:Key></s3:Extra>"
            + "<s3:EncodingType>url</s3:EncodingType><s3:IsTruncated>false</s3:IsTruncated><s3:Contents id=\"1\">"
            + "<s3:Owner><s3:ID>1</s3:ID></s3:Owner><s3:Key x=\"y\">a</s3:Key><s3:New>1</s3:New>"
            + "<s3:LastModified>2013-05-24T00:00:00.000Z</s3:LastModified><s3:ETag>e</s3:ETag><s3:Size>1</s3:Size>"
            + "</s3:Contents><s3:CommonPrefixes><s3:Prefix>b/</s3:Prefix></s3:CommonPrefixes></s3:ListBucketResult>"
        for step in [1, 3, 10_000] { #expect(try read(xml, step: step) == plain) }
    }
}

@Suite struct `A bad listing` {
    @Test(arguments: [
        ("cut off", "<ListBucketResult><Contents><Key>a</Key>"),
        ("empty", ""),
        ("another document", "<Other/>"),
        ("not XML", "hello"),
        ("version 2, truncated without a token", listing(contents("a") + "<KeyCount>1</KeyCount>", truncated: true)),
        ("truncated without anything", listing("", truncated: true)),
        ("a null byte", listing(contents("a") + "\0")),
        ("a null byte in an entry", listing("<Contents>\0<Key>a</Key><Size>1</Size></Contents>")),
        ("a null byte in a tag", listing("<Cont\0ents><Key>a</Key><Size>1</Size></Contents>")),
        ("truncated without a marker, and out of order", listing(contents("b") + contents("a"), truncated: true)),
        ("a DOCTYPE", "<!DOCTYPE x [<!ENTITY a \"b\">]>" + listing(contents("&a;"))),
        ("an unknown entity", listing(contents("&a;"))),
        ("too deep", String(repeating: "<ListBucketResult>", count: 1_000)),
        ("a long text", listing(contents(String(repeating: "x", count: 100_000)))),
        ("two documents", listing("") + listing("")),
        ("an odd IsTruncated", "<ListBucketResult><IsTruncated>perhaps</IsTruncated></ListBucketResult>"),
    ])
    func `is malformed`(what: String, xml: String) {
        #expect(throws: StoreError.self, "\(what)") { try read(xml) }
        do {
            _ = try read(xml)
        } catch {
            #expect(error.code == .malformedResponse, "\(what)")
        }
    }

    @Test func `that is a web page says so`() {
        let error = #expect(throws: StoreError.self) {
            try read("<html><head><title>Sign in to Campus WiFi</title></head><body><p>hi</body></html>")
        }
        #expect(error?.message.contains("proxy or a login page") == true)
        #expect(error?.message.contains("Sign in to Campus WiFi") == true)
    }

    @Test func `that goes on with the token it was asked with is malformed`() {
        let request = ListRequest(prefix: "", isDelimited: true, continuation: ContinuationToken("t"))
        let error = #expect(throws: StoreError.self) {
            try read(
                listing("<NextContinuationToken>t</NextContinuationToken>", truncated: true), request: request)
        }
        #expect(error?.code == .malformedResponse)
    }

    @Test func `that goes on behind the marker it was asked with is malformed`() {
        for request in [
            ListRequest(prefix: "", isDelimited: true, continuation: ContinuationToken(marker: "a")),
            ListRequest(prefix: "", isDelimited: true, startAfter: "a"),
        ] {
            let error = #expect(throws: StoreError.self) {
                let reader = ListPageReader(request: request, isMarked: true)
                try reader.receive(Array(listing(contents("a"), truncated: true).utf8).span.bytes)
                _ = try reader.finish()
            }
            #expect(error?.message.contains("neither continuation tokens nor markers") == true)
        }
    }
}

@Suite struct `The repair of text` {
    private func repaired(_ bytes: [UInt8], step: Int) -> [UInt8] {
        var repair = TextRepair()
        var output: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: step) {
            let piece = Array(bytes[start..<min(start + step, bytes.count)])
            output += piece.withUnsafeBytes { repair.repaired($0, isLast: false) } ?? piece
        }
        return output + (repair.repaired(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) ?? [])
    }

    @Test(arguments: 0..<200)
    func `leaves text as it is, and makes text of all else, in whatever pieces it comes`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let units = [
            "a", "some words of plain text ", "é", "€", "𝄞", "&#34;", "&#x22;", "&amp;", "\n", "&#x10FFFF;", "<k>",
        ]
        let flaws: [[UInt8]] = [
            [0xFF], [0x01], [0xC3], [0xE2, 0x82], Array("&#0;".utf8), Array("&#xFFFE;".utf8), [0xF0, 0x80, 0x80, 0x80],
        ]
        var (text, bad): ([UInt8], [UInt8]) = ([], [])
        for _ in 0..<40 {
            let unit = Array((units.randomElement(using: &random) ?? "").utf8)
            text += unit
            bad += unit + (Bool.random(using: &random) ? flaws.randomElement(using: &random) ?? [] : [])
        }
        bad += Array(";".utf8)
        let steps = [1, 2, 3, 7, 8, 9, 64, 10_000]
        for step in steps {
            #expect(repaired(text, step: step) == text, "seed \(seed)")
            let result = repaired(bad, step: step)
            #expect(result == repaired(bad, step: bad.count), "seed \(seed)")
            #expect(String(validating: result, as: UTF8.self) != nil, "seed \(seed)")
            #expect(repaired(result, step: step) == result, "seed \(seed)")
        }
    }
}
