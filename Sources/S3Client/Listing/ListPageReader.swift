import ObjectStore

/// Reads the answer of ListObjectsV2 piece by piece into a `ListPage`.
///
/// Source: "ListObjectsV2", response syntax, in the Amazon S3 API Reference. Whatever a file system would be wrong by,
/// if it were believed, makes the page malformed: a missing size or ETag, keys out of order, a listing that goes on
/// without saying how.
final class ListPageReader {
    private let request: ListRequest
    private let elements = ListPageElements()
    private let xml: XMLReader
    /// The beginning of the answer, to show where it is no XML.
    private var beginning: [UInt8] = []
    private static let beginningByteLimit = 2_048

    init(request: ListRequest) {
        self.request = request
        xml = XMLReader(consumer: elements)
    }

    /// Takes the next bytes of the answer.
    func receive(_ bytes: RawSpan) throws(StoreError) {
        if beginning.count < Self.beginningByteLimit {
            bytes.withUnsafeBytes { beginning += $0.prefix(Self.beginningByteLimit - beginning.count) }
        }
        try read(bytes, isLast: false)
    }

    /// The page, all bytes of which have been received.
    func finish() throws(StoreError) -> ListPage {
        try read(RawSpan(), isLast: true)
        guard elements.isListing else { throw notAListing("its root element is another") }
        if let problem = elements.problem { throw malformed(problem) }
        let items = try sortedItems()
        // A token that the page says not to need is followed all the same: at worst to a page without items.
        guard let token = elements.nextToken, !token.isEmpty else {
            if elements.isTruncated { throw malformed("it is cut off, but there is no continuation token") }
            return ListPage(items: items)
        }
        let next = ContinuationToken(token)
        guard next != request.continuation else { throw malformed("it goes on where it was itself continued") }
        return ListPage(items: items, next: next)
    }

    private func read(_ bytes: RawSpan, isLast: Bool) throws(StoreError) {
        do {
            try xml.read(bytes, isLast: isLast)
        } catch {
            guard elements.isListing else { throw notAListing(error.reason) }
            throw malformed(error.reason)
        }
    }

    /// The items of the page in order. Objects and common prefixes each come sorted; that they don't overlap is checked.
    private func sortedItems() throws(StoreError) -> [ListPage.Item] {
        var items: [ListPage.Item] = []
        items.reserveCapacity(elements.objects.count + elements.commonPrefixes.count)
        var previous: Key?
        for fields in elements.objects {
            let object = try object(from: fields)
            try check(object.version.key, after: previous)
            previous = object.version.key
            items.append(.object(object))
        }
        previous = nil
        for text in elements.commonPrefixes {
            let prefix = try key(from: text)
            guard prefix.endsInDelimiter else { throw malformed("a common prefix doesn't end in \"/\"") }
            try check(prefix, after: previous)
            previous = prefix
            items.append(.commonPrefix(prefix))
        }
        items.sort { $0.key < $1.key }
        for (left, right) in zip(items, items.dropFirst()) where left.key == right.key {
            throw malformed("\(left.key) is in it twice")
        }
        // Some servers list the key itself, or a common prefix that is the key, where S3 begins behind it.
        guard let startAfter = request.startAfter else { return items }
        return Array(items.drop { $0.key <= startAfter })
    }

    private func check(_ key: Key, after previous: Key?) throws(StoreError) {
        guard key.hasPrefix(request.prefix) else { throw malformed("\(key) doesn't begin with the prefix asked for") }
        guard let previous, key <= previous else { return }
        throw malformed(
            key == previous ? "\(key) is in it twice" : "its keys are not in the order of their bytes (\(key))")
    }

    private func object(from fields: ListPageElements.Object) throws(StoreError) -> ListedObject {
        guard let keyText = fields.key else { throw malformed("an object has no key") }
        let key = try key(from: keyText)
        guard let size = fields.size, let byteCount = Int(String(decoding: size, as: UTF8.self)), byteCount >= 0 else {
            throw malformed("\(key) has no valid size")
        }
        // It goes back in a header, so it must not be able to end one (RFC 9110, section 8.8.3: no control characters).
        guard let etag = fields.etag, !etag.isEmpty, etag.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
            throw malformed("\(key) has no valid ETag")
        }
        guard let modified = fields.lastModified, let time = CalendarTime(listing: modified) else {
            throw malformed("\(key) has no valid time of last modification")
        }
        let version = ObjectVersion(
            key: key, etag: ETag(String(decoding: etag, as: UTF8.self)), byteCount: byteCount)
        return ListedObject(
            version: version, lastModified: time.timestamp,
            storageClass: fields.storageClass.map { String(decoding: $0, as: UTF8.self) } ?? "STANDARD")
    }

    private func key(from text: [UInt8]) throws(StoreError) -> Key {
        guard elements.isURLEncoded else { return Key(text) }
        guard let bytes = PercentEncoding.decodeForm(text) else { throw malformed("a key in it is badly encoded") }
        return Key(bytes)
    }

    private func malformed(_ problem: String) -> StoreError {
        StoreError(.malformedResponse, "the store's listing can't be used: \(problem)")
    }

    private func notAListing(_ reason: String) -> StoreError {
        if Excerpt.looksLikeHTML(beginning) {
            return StoreError(
                .malformedResponse,
                "a proxy or a login page seems to have answered in the store's place, with HTML: "
                    + "\"\(Excerpt.of(beginning))\"")
        }
        return malformed("it is no S3 listing (\(reason)): \"\(Excerpt.of(beginning))\"")
    }
}

/// The elements of a ListObjectsV2 answer, as they stand in it. EncodingType may come behind the keys that it is about, so
/// nothing is decoded here.
final class ListPageElements: XMLConsumer {
    /// One `Contents`.
    struct Object {
        var key: [UInt8]?
        var size: [UInt8]?
        var etag: [UInt8]?
        var lastModified: [UInt8]?
        var storageClass: [UInt8]?
    }

    private(set) var isListing = false
    private(set) var objects: [Object] = []
    private(set) var commonPrefixes: [[UInt8]] = []
    private(set) var isTruncated = false
    private(set) var nextToken: String?
    private(set) var isURLEncoded = false
    private(set) var problem: String?
    /// The element of depth 2 that is open.
    private var section = ""
    private var object = Object()

    func begin(_ element: String, depth: Int) {
        if depth == 1 { isListing = element == "ListBucketResult" }
        guard depth == 2 else { return }
        section = element
        if element == "Contents" { object = Object() }
    }

    func end(_ element: String, depth: Int, text: [UInt8]) {
        switch depth {
        case 2: endSection(element, text: text)
        case 3 where section == "Contents": endField(element, text: text)
        case 3 where section == "CommonPrefixes" && element == "Prefix": commonPrefixes.append(text)
        default: break
        }
    }

    private func endSection(_ element: String, text: [UInt8]) {
        switch element {
        case "Contents": objects.append(object)
        case "NextContinuationToken": nextToken = String(decoding: text, as: UTF8.self)
        case "EncodingType": isURLEncoded = text.elementsEqual("url".utf8)
        case "IsTruncated":
            isTruncated = text.elementsEqual("true".utf8)
            if !isTruncated && !text.elementsEqual("false".utf8) {
                problem = "IsTruncated is neither true nor false"
            }
        default: break
        }
    }

    private func endField(_ element: String, text: [UInt8]) {
        switch element {
        case "Key": object.key = text
        case "Size": object.size = text
        case "ETag": object.etag = text
        case "LastModified": object.lastModified = text
        case "StorageClass": object.storageClass = text
        default: break
        }
    }
}
