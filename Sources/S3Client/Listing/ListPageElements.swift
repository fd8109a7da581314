import ObjectStore
import SystemSupport

/// The elements of a response to ListObjectsV2 or ListObjects. EncodingType may follow the keys that it applies to, so
/// keys are stored undecoded. Other values are parsed immediately, since a number takes less memory than its text.
struct ListPageElements {
    /// A `Contents` element. Values that are missing or unreadable are `nil`.
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
    /// The value of IsTruncated; `nil` if it is missing.
    private(set) var isTruncated: Bool?
    private(set) var nextToken: String?
    /// The value of NextMarker, undecoded.
    private(set) var nextMarker: [UInt8]?
    var hasNextMarker: Bool { nextMarker?.isEmpty == false }
    private(set) var isURLEncoded = false
    /// `true` if a key, a common prefix or the marker has a character that a decoder replaces.
    private(set) var hasEscapes = false
    /// `true` if the response has an element that only ListObjectsV2 returns.
    private(set) var isVersion2 = false
    /// `true` if the response has an element that only ListObjects returns.
    private(set) var isVersion1 = false
    private(set) var problem: String?
    private var section = Section.other
    private var object = Object()

    /// Adds an object that wasn't read element by element.
    mutating func add(_ object: Object) {
        if let key = object.key { noteEscapes(in: key) }
        objects.append(object)
    }

    private mutating func noteEscapes(in text: [UInt8]) {
        if !hasEscapes { hasEscapes = PercentEncoding.hasEscapes(text) }
    }

    mutating func begin(_ element: XMLName, depth: Int) {
        switch depth {
        case 1:
            // OpenStack Swift and others have different names for responses of version 1.
            isListing = element == "ListBucketResult" || element == "ListBucketV2Result"
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
        // A placeholder in a key affects only that entry; elsewhere it means that the page is damaged.
        if depth == 1 || (depth == 2 && section != .other), ListedText.hasPlaceholder(text) {
            problem = "bytes that are no text stand between its elements"
        }
        switch (depth, section) {
        case (2, .contents): add(object)
        case (2, .other): endField(element, text: text)
        case (3, .contents): endObjectField(element, text: text)
        case (3, .commonPrefixes) where element == "Prefix":
            noteEscapes(in: text)
            commonPrefixes.append(Array(text[...]))
        default: break
        }
    }

    private mutating func endField(_ element: XMLName, text: [UInt8]) {
        switch element {
        case "NextContinuationToken":
            nextToken = String(decoding: text, as: UTF8.self)
            isVersion2 = true
        case "KeyCount", "ContinuationToken", "StartAfter": isVersion2 = true
        case "NextMarker":
            noteEscapes(in: text)
            nextMarker = Array(text[...])
            isVersion1 = true
        case "Marker": isVersion1 = true
        case "EncodingType": isURLEncoded = ListedText.isWord(text, "url")
        case "IsTruncated": endIsTruncated(text)
        default: break
        }
    }

    private mutating func endIsTruncated(_ text: [UInt8]) {
        if ListedText.isWord(text, "true") {
            isTruncated = true
        } else if ListedText.isWord(text, "false") {
            isTruncated = false
        } else if !ListedText.trimmed(text).isEmpty {
            problem = "IsTruncated is neither true nor false"
        }
    }

    private mutating func endObjectField(_ element: XMLName, text: [UInt8]) {
        switch element {
        case "Key": object.key = Array(text[...])
        case "Size": object.byteCount = ListedText.byteCount(text)
        case "ETag": object.etag = ETag(validating: text)
        case "LastModified": object.lastModified = ListedText.time(text)
        case "StorageClass":
            let name = String(decoding: ListedText.trimmed(text), as: UTF8.self)
            if !name.isEmpty { object.storageClass = name }
        default: break
        }
    }
}
