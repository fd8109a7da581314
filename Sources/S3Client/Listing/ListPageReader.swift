package import ObjectStore

/// An incremental parser that turns a response of ListObjectsV2 or ListObjects into a `ListPage`.
///
/// Source: "ListObjectsV2" and "ListObjects", response syntax, in the Amazon S3 API Reference. An entry that cannot be
/// used is left out, or gets a replacement for what it lacks, and is counted (`flaws`). The page as a whole is
/// malformed if it is not a listing, or if it is truncated without a continuation.
package final class ListPageReader {
    private let request: ListRequest
    private let isMarked: Bool
    private let isEncodingIgnored: Bool
    private let consumer = ListPageConsumer()
    private let xml: XMLReader
    private var repair = TextRepair()
    /// The beginning of an object that the received bytes have cut off.
    private var rest: [UInt8] = []
    /// The beginning of the response, for the error if it is not XML.
    private var beginning: [UInt8] = []
    private static let beginningByteLimit = 2_048

    /// The flawed entries; known once the page is finished.
    package private(set) var flaws = ListFlaws()
    /// `true` if the page declares its keys as encoded and they are not; known once the page is finished.
    private(set) var isFalselyEncoded = false

    /// Creates a reader of the response to `request`.
    ///
    /// - Parameters:
    ///   - isMarked: `true` for a request of ListObjects, which continues by `marker`.
    ///   - isEncodingIgnored: `true` if the store is known not to encode keys, whatever it declares.
    package init(request: ListRequest, isMarked: Bool = false, isEncodingIgnored: Bool = false) {
        self.request = request
        self.isMarked = isMarked
        self.isEncodingIgnored = isEncodingIgnored
        xml = XMLReader(consumer: consumer)
    }

    /// Parses the next bytes of the response.
    package func receive(_ bytes: RawSpan) throws(StoreError) {
        if beginning.count < Self.beginningByteLimit {
            bytes.withUnsafeBytes { beginning += $0.prefix(Self.beginningByteLimit - beginning.count) }
        }
        try read(bytes, isLast: false)
    }

    /// Returns the page, after all bytes have been received.
    package func finish() throws(StoreError) -> ListPage {
        try read(RawSpan(), isLast: true)
        guard elements.isListing else { throw notAListing("its root element is another") }
        if let problem = elements.problem { throw malformed(problem) }
        var assembly = ListPageAssembly(elements, request: request, isEncodingIgnored: isEncodingIgnored)
        let page = assembly.page()
        (flaws, isFalselyEncoded) = (assembly.flaws, assembly.isFalselyEncoded)
        return ListPage(
            items: page.items, next: try next(assembly, isOrdered: page.isOrdered), isOrdered: page.isOrdered)
    }

    /// `true` if the page is that of ListObjects (version 1), although version 2 was requested. The store then knows
    /// neither `start-after` nor tokens. Known once all bytes have been received.
    var isVersion1: Bool { !elements.isVersion2 && elements.isVersion1 }

    /// `true` if the page is that of version 2.
    var isVersion2: Bool { elements.isVersion2 }

    private var elements: ListPageElements { consumer.elements }

    /// Returns the token of the next page. `IsTruncated` decides whether there is one; without it, the presence of a
    /// token decides.
    private func next(_ assembly: ListPageAssembly, isOrdered: Bool) throws(StoreError) -> ContinuationToken? {
        let token = elements.nextToken.flatMap { $0.isEmpty || isMarked ? nil : ContinuationToken($0) }
        guard elements.isTruncated ?? (token != nil || elements.hasNextMarker) else { return nil }
        if let token {
            guard token != request.continuation else { throw malformed("it goes on where it was itself continued") }
            return token
        }
        if elements.isVersion2 && !isMarked { throw malformed("it is cut off, but there is no continuation token") }
        guard let marker = assembly.nextMarker else {
            throw malformed("it is cut off, but there is neither a continuation token nor a key to go on behind")
        }
        // An unordered page may continue before its greatest key, unless the store has only ignored a parameter of the
        // request.
        guard isOrdered || elements.hasNextMarker || (!isMarked && request.startAfter != nil) else {
            throw malformed("it is cut off and not in order, but there is neither a continuation token nor a marker")
        }
        guard !isMarked || marker != request.position else {
            throw malformed(
                "it goes on where it was itself continued: the store knows neither continuation tokens nor markers")
        }
        return ContinuationToken(marker: marker)
    }

    private func read(_ bytes: RawSpan, isLast: Bool) throws(StoreError) {
        do throws(XMLError) {
            try bytes.withUnsafeBytes { bytes throws(XMLError) in
                if rest.isEmpty { return try read(bytes, isLast: isLast) }
                let joined = rest + bytes
                rest = []
                try joined.span.bytes.withUnsafeBytes { bytes throws(XMLError) in try read(bytes, isLast: isLast) }
            }
        } catch {
            guard elements.isListing else { throw notAListing(error.reason) }
            throw malformed(error.reason)
        }
    }

    /// Reads objects of the usual form without the XML parser, and leaves them out of its document.
    private func read(_ bytes: UnsafeRawBufferPointer, isLast: Bool) throws(XMLError) {
        var start = 0
        while start < bytes.count {
            if xml.isBetweenElements, repair.isIdle, consumer.elements.isListing {
                var scanner = ListEntryScanner(bytes, from: start)
                while let object = scanner.next() { consumer.add(object) }
                start = scanner.index
                if !isLast, scanner.isCutOff {
                    rest = Array(bytes[start...])
                    return
                }
                if start == bytes.count { break }
            }
            let end = ListEntryScanner.nextObject(in: bytes, behind: start)
            try parse(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), isLast: false)
            start = end
        }
        if isLast { try parse(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true) }
    }

    private func parse(_ bytes: UnsafeRawBufferPointer, isLast: Bool) throws(XMLError) {
        if let repaired = repair.repaired(bytes, isLast: isLast) {
            try xml.read(repaired.span.bytes, isLast: isLast)
        } else {
            try xml.read(bytes.bytes, isLast: isLast)
        }
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

extension ListRequest {
    /// The key after which the page begins; `nil` if unknown, as for tokens.
    var position: Key? { continuation == nil ? startAfter : continuation?.marker }
}

/// Passes XML elements to `ListPageElements`.
private final class ListPageConsumer: XMLConsumer {
    // A value, so that an element takes only one access to this object, since Swift checks each access.
    private(set) var elements = ListPageElements()

    func add(_ object: ListPageElements.Object) {
        elements.add(object)
    }

    func begin(_ element: XMLName, depth: Int) {
        elements.begin(element, depth: depth)
    }

    func end(_ element: XMLName, depth: Int, text: [UInt8]) {
        elements.end(element, depth: depth, text: text)
    }
}
