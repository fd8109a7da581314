package import ObjectStore

/// Reads the answer of ListObjectsV2 piece by piece into a `ListPage`.
///
/// Source: "ListObjectsV2", response syntax, in the Amazon S3 API Reference. Whatever a file system would be wrong by,
/// if it were believed, makes the page malformed: a missing size or ETag, a listing that goes on without saying how.
package final class ListPageReader {
    private let request: ListRequest
    private let consumer = ListPageConsumer()
    private let xml: XMLReader
    /// The beginning of the answer, to show where it is no XML.
    private var beginning: [UInt8] = []
    private static let beginningByteLimit = 2_048

    /// A reader of the answer to `request`.
    package init(request: ListRequest) {
        self.request = request
        xml = XMLReader(consumer: consumer)
    }

    /// Takes the next bytes of the answer.
    package func receive(_ bytes: RawSpan) throws(StoreError) {
        if beginning.count < Self.beginningByteLimit {
            bytes.withUnsafeBytes { beginning += $0.prefix(Self.beginningByteLimit - beginning.count) }
        }
        try read(bytes, isLast: false)
    }

    /// The page, all bytes of which have been received.
    package func finish() throws(StoreError) -> ListPage {
        try read(RawSpan(), isLast: true)
        guard elements.isListing else { throw notAListing("its root element is another") }
        if let problem = elements.problem { throw malformed(problem) }
        let (items, isOrdered) = try readItems()
        // A token that the page says not to need is followed all the same: at worst to a page without items.
        guard let token = elements.nextToken, !token.isEmpty else {
            if elements.isTruncated { throw malformed("it is cut off, but there is no continuation token") }
            return ListPage(items: items, isOrdered: isOrdered)
        }
        let next = ContinuationToken(token)
        guard next != request.continuation else { throw malformed("it goes on where it was itself continued") }
        return ListPage(items: items, next: next, isOrdered: isOrdered)
    }

    private var elements: ListPageElements { consumer.elements }

    private func read(_ bytes: RawSpan, isLast: Bool) throws(StoreError) {
        do {
            try xml.read(bytes, isLast: isLast)
        } catch {
            guard elements.isListing else { throw notAListing(error.reason) }
            throw malformed(error.reason)
        }
    }

    /// The items of the page, each key once: merged where objects and common prefixes each come in order, otherwise as sent.
    private func readItems() throws(StoreError) -> (items: [ListPage.Item], isOrdered: Bool) {
        let elements = elements
        var objects: [ListPage.Item] = []
        objects.reserveCapacity(elements.objects.count)
        for fields in elements.objects {
            objects.append(.object(try object(from: fields, isURLEncoded: elements.isURLEncoded)))
        }
        var prefixes: [ListPage.Item] = []
        prefixes.reserveCapacity(elements.commonPrefixes.count)
        for text in elements.commonPrefixes {
            let prefix = try key(from: text, isURLEncoded: elements.isURLEncoded)
            guard prefix.endsInDelimiter else { throw malformed("a common prefix doesn't end in \"/\"") }
            prefixes.append(.commonPrefix(prefix))
        }
        for item in objects + prefixes where !item.key.hasPrefix(request.prefix) {
            throw malformed("\(item.key) doesn't begin with the prefix asked for")
        }
        guard isAscending(objects), isAscending(prefixes) else {
            var known: Set<Key> = []
            return ((objects + prefixes).filter { known.insert($0.key).inserted }, false)
        }
        let items = merged(objects, prefixes)
        // Some servers list the key itself, or a common prefix that is the key, where S3 begins behind it.
        guard let startAfter = request.startAfter, let first = items.first, first.key <= startAfter else {
            return (items, true)
        }
        return (Array(items.drop { $0.key <= startAfter }), true)
    }

    private func isAscending(_ items: [ListPage.Item]) -> Bool {
        zip(items, items.dropFirst()).allSatisfy { $0.key < $1.key }
    }

    private func merged(_ objects: [ListPage.Item], _ prefixes: [ListPage.Item]) -> [ListPage.Item] {
        var items: [ListPage.Item] = []
        items.reserveCapacity(objects.count + prefixes.count)
        var prefixIndex = 0
        for object in objects {
            while prefixIndex < prefixes.count, prefixes[prefixIndex].key < object.key {
                items.append(prefixes[prefixIndex])
                prefixIndex += 1
            }
            if prefixIndex < prefixes.count, prefixes[prefixIndex].key == object.key { prefixIndex += 1 }
            items.append(object)
        }
        return items + prefixes[prefixIndex...]
    }

    private func object(
        from fields: ListPageElements.Object, isURLEncoded: Bool
    ) throws(StoreError) -> ListedObject {
        guard let keyText = fields.key else { throw malformed("an object has no key") }
        let key = try key(from: keyText, isURLEncoded: isURLEncoded)
        guard let byteCount = fields.byteCount else { throw malformed("\(key) has no valid size") }
        guard let etag = fields.etag else { throw malformed("\(key) has no valid ETag") }
        guard let lastModified = fields.lastModified else {
            throw malformed("\(key) has no valid time of last modification")
        }
        return ListedObject(
            version: ObjectVersion(key: key, etag: etag, byteCount: byteCount), lastModified: lastModified,
            storageClass: fields.storageClass)
    }

    private func key(from text: [UInt8], isURLEncoded: Bool) throws(StoreError) -> Key {
        guard isURLEncoded else { return Key(text) }
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

/// Hands the elements on.
private final class ListPageConsumer: XMLConsumer {
    // A value, so that an element is one access to this object: Swift checks every one of them.
    private(set) var elements = ListPageElements()

    func begin(_ element: XMLName, depth: Int) {
        elements.begin(element, depth: depth)
    }

    func end(_ element: XMLName, depth: Int, text: [UInt8]) {
        elements.end(element, depth: depth, text: text)
    }
}

/// The elements of a ListObjectsV2 answer. EncodingType may come behind the keys that it is about, so keys are left as they
/// stand; all else is read at once, because a text is a piece of memory and a number is none.
struct ListPageElements {
    /// One `Contents`. What is missing or can't be read is `nil`.
    struct Object {
        var key: [UInt8]?
        var byteCount: Int?
        var etag: ETag?
        var lastModified: Timestamp?
        var storageClass = "STANDARD"
    }

    /// The element of depth 2 that is open.
    private enum Section {
        case contents, commonPrefixes, other
    }

    private(set) var isListing = false
    private(set) var objects: [Object] = []
    private(set) var commonPrefixes: [[UInt8]] = []
    private(set) var isTruncated = false
    private(set) var nextToken: String?
    private(set) var isURLEncoded = false
    private(set) var problem: String?
    private var section = Section.other
    private var object = Object()

    mutating func begin(_ element: XMLName, depth: Int) {
        switch depth {
        case 1:
            isListing = element == "ListBucketResult"
        case 2:
            switch element {
            case "Contents":
                section = .contents
                object = Object()
            case "CommonPrefixes": section = .commonPrefixes
            default: section = .other
            }
        default: break
        }
    }

    mutating func end(_ element: XMLName, depth: Int, text: [UInt8]) {
        switch (depth, section) {
        case (2, .contents): objects.append(object)
        case (2, .other): endField(element, text: text)
        case (3, .contents): endObjectField(element, text: text)
        case (3, .commonPrefixes) where element == "Prefix": commonPrefixes.append(Array(text[...]))
        default: break
        }
    }

    private mutating func endField(_ element: XMLName, text: [UInt8]) {
        switch element {
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

    private mutating func endObjectField(_ element: XMLName, text: [UInt8]) {
        switch element {
        case "Key": object.key = Array(text[...])
        case "Size": object.byteCount = Self.byteCount(text)
        case "ETag": object.etag = Self.etag(text)
        case "LastModified": object.lastModified = CalendarTime(listing: text)?.timestamp
        case "StorageClass": object.storageClass = String(decoding: text, as: UTF8.self)
        default: break
        }
    }

    /// A size: digits, and no more than an object can have.
    private static func byteCount(_ text: [UInt8]) -> Int? {
        if text.isEmpty { return nil }
        var count = 0
        for byte in text {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            count = count * 10 + Int(byte - UInt8(ascii: "0"))
            if count > ObjectVersion.byteCountLimit { return nil }
        }
        return count
    }

    /// An ETag. It goes back in a header, so it must not be able to end one (RFC 9110, section 8.8.3: no control characters).
    private static func etag(_ text: [UInt8]) -> ETag? {
        guard !text.isEmpty, text.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
        return ETag(utf8: text)
    }
}
