import ObjectStore
import SystemSupport

/// The elements of an answer to ListObjectsV2 or ListObjects. EncodingType may come behind the keys that it is about, so keys are
/// left as they stand; all else is read at once, because a text is a piece of memory and a number is none.
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
    /// `nil` where the answer doesn't say so.
    private(set) var isTruncated: Bool?
    private(set) var nextToken: String?
    /// As it stands.
    private(set) var nextMarker: [UInt8]?
    var hasNextMarker: Bool { nextMarker?.isEmpty == false }
    private(set) var isURLEncoded = false
    /// `true` if there is an element that only ListObjectsV2 has.
    private(set) var isVersion2 = false
    /// `true` if there is an element that only ListObjects has.
    private(set) var isVersion1 = false
    private(set) var problem: String?
    private var section = Section.other
    private var object = Object()

    mutating func begin(_ element: XMLName, depth: Int) {
        switch depth {
        case 1:
            // OpenStack Swift's and others' answers to version 1 have names of their own.
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
        // In a key they affect that entry; elsewhere the page is damaged.
        if depth == 1 || (depth == 2 && section != .other), ListedText.hasPlaceholder(text) {
            problem = "bytes that are no text stand between its elements"
        }
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
        case "NextContinuationToken":
            nextToken = String(decoding: text, as: UTF8.self)
            isVersion2 = true
        case "KeyCount", "ContinuationToken", "StartAfter": isVersion2 = true
        case "NextMarker":
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
