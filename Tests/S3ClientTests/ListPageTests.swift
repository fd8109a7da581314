import ObjectStore
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
    let reader = ListPageReader(request: request)
    let bytes = Array(xml.utf8)
    for start in stride(from: 0, to: bytes.count, by: step) {
        try reader.receive(Array(bytes[start..<min(start + step, bytes.count)]).span.bytes)
    }
    return try reader.finish()
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

    @Test(arguments: [true, false])
    func `goes on where it says, also if it says that it doesn't`(isTruncated: Bool) throws {
        let page = try read(
            listing(contents("a") + "<NextContinuationToken>t/+=</NextContinuationToken>", truncated: isTruncated))
        #expect(page.next == ContinuationToken("t/+="))
    }

    @Test func `may be empty, and so may a token`() throws {
        #expect(try read(listing("")) == ListPage(items: []))
        #expect(try read(listing("<NextContinuationToken></NextContinuationToken>")) == ListPage(items: []))
    }

    @Test func `leaves out what is not behind the key it starts after`() throws {
        let request = ListRequest(prefix: "", isDelimited: true, startAfter: "b")
        #expect(
            try read(listing(contents("a") + contents("b") + contents("c")), request: request).items.map(\.key) == ["c"]
        )
    }
}

@Suite struct `A bad listing` {
    @Test(arguments: [
        ("cut off", "<ListBucketResult><Contents><Key>a</Key>"),
        ("empty", ""),
        ("another document", "<Other/>"),
        ("not XML", "hello"),
        ("truncated without a token", listing(contents("a"), truncated: true)),
        ("no size", listing("<Contents><Key>a</Key><ETag>e</ETag></Contents>")),
        ("a negative size", listing(contents("a", size: "-1"))),
        ("a size beyond 64 bits", listing(contents("a", size: "99999999999999999999"))),
        ("a size to overflow by", listing(contents("a", size: "9223372036854775807"))),
        ("a size that is no number", listing(contents("a", size: "1x"))),
        ("a size that is empty", listing(contents("a", size: ""))),
        ("an ETag that would end a header", listing(contents("a").replacing("&quot;e", with: "&#10;e"))),
        ("a time that is none", listing(contents("a").replacing("05-24", with: "02-30"))),
        ("a prefix without a slash", listing(common("a"))),
        ("a bad escape", listing(contents("%zz") + "<EncodingType>url</EncodingType>")),
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

    @Test func `that holds keys outside the prefix is malformed`() {
        let error = #expect(throws: StoreError.self) {
            try read(listing(contents("a")), request: ListRequest(prefix: "p/", isDelimited: true))
        }
        #expect(error?.code == .malformedResponse)
    }

    @Test func `that goes on with the token it was asked with is malformed`() {
        let request = ListRequest(prefix: "", isDelimited: true, continuation: ContinuationToken("t"))
        let error = #expect(throws: StoreError.self) {
            try read(
                listing("<NextContinuationToken>t</NextContinuationToken>", truncated: true), request: request)
        }
        #expect(error?.code == .malformedResponse)
    }
}
