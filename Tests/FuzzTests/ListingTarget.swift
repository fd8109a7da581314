import ObjectStore
import SystemSupport

@testable import S3Client

extension FuzzTarget {
    /// The answer to ListObjectsV2. The first byte chooses the request and the pieces in which the answer comes.
    static let listing = FuzzTarget(name: "listing") { bytes in
        var choices = Choices(bytes)
        let request = requests[choices.number(below: requests.count)]
        let pieceByteCount = 1 + choices.number(below: 256)
        let answer = Array(choices.rest)
        let page: ListPage
        do throws(StoreError) {
            page = try read(answer, of: request, pieceByteCount: answer.count)
        } catch {
            try requirePlain(error.description, limit: 4_096)
            try requireRefused(answer, of: request, pieceByteCount: pieceByteCount)
            return
        }
        try requireBelievable(page, of: request)
        try require(
            try read(answer, of: request, pieceByteCount: pieceByteCount) == page, "pieces make another page of it")
        let isMarked = String(decoding: answer, as: UTF8.self).contains("<![CDATA[")
        try require(
            try isMarked || read(withoutUsualObjects(answer), of: request, pieceByteCount: pieceByteCount) == page,
            "the XML parser makes another page of it")
        // The times that `Timestamp` and a header can represent, in their own order.
        let isWritable =
            page.isOrdered
            && page.items.allSatisfy {
                guard case .object(let object) = $0 else { return true }
                let standInTime = object.version.etag.standInTime
                return object.lastModified.seconds >= 0 && (standInTime ?? object.lastModified) == object.lastModified
                    && (standInTime != nil || !object.version.etag.isStandIn) && object.version.etag != ETag("")
            }
        guard isWritable else { return }
        try require(try read(xml(of: page), of: request, pieceByteCount: 1_000) == page, "its page is read otherwise")
    }

    /// The same document with tags that only the XML parser reads, except in a CDATA section.
    private static func withoutUsualObjects(_ answer: [UInt8]) -> [UInt8] {
        let tag = Array("<Contents".utf8)
        var result: [UInt8] = []
        for byte in answer {
            if byte == UInt8(ascii: ">"), result.suffix(tag.count).elementsEqual(tag) {
                result.append(UInt8(ascii: " "))
            }
            result.append(byte)
        }
        return result
    }

    private static let requests = [
        ListRequest(prefix: "", isDelimited: false), ListRequest(prefix: "a/", isDelimited: true),
        ListRequest(prefix: "", isDelimited: true, startAfter: "b"),
        ListRequest(prefix: "a/", isDelimited: false, continuation: ContinuationToken("token")),
    ]

    private static func read(
        _ answer: [UInt8], of request: ListRequest, pieceByteCount: Int
    ) throws(StoreError) -> ListPage {
        let reader = ListPageReader(request: request)
        var rest = answer[...]
        while !rest.isEmpty {
            try reader.receive(Array(rest.prefix(pieceByteCount)).span.bytes)
            rest = rest.dropFirst(pieceByteCount)
        }
        return try reader.finish()
    }

    private static func requireRefused(_ answer: [UInt8], of request: ListRequest, pieceByteCount: Int) throws {
        do throws(StoreError) {
            _ = try read(answer, of: request, pieceByteCount: pieceByteCount)
        } catch {
            return
        }
        throw Violation(description: "refused as a whole, taken in pieces")
    }

    private static func requireBelievable(_ page: ListPage, of request: ListRequest) throws {
        try require(Set(page.items.map(\.key)).count == page.items.count, "a key is there twice")
        for (item, next) in zip(page.items, page.items.dropFirst()) where page.isOrdered {
            try require(item.key < next.key, "\(item.key) stands before \(next.key)")
        }
        for item in page.items {
            try require(item.key.hasPrefix(request.prefix), "\(item.key) is not below \(request.prefix)")
            try require(
                !page.isOrdered || request.startAfter.map { $0 < item.key } ?? true, "\(item.key) was not asked for")
            guard case .object(let object) = item else { continue }
            try require(
                (0...ObjectVersion.byteCountLimit).contains(object.version.byteCount), "a size is impossible")
            try require(
                object.version.etag.text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "an ETag could end a header")
        }
    }

    /// The page as S3 would write it.
    private static func xml(of page: ListPage) -> [UInt8] {
        var text = "<ListBucketResult><EncodingType>url</EncodingType>"
        text += "<IsTruncated>\(page.next != nil)</IsTruncated>"
        if let marker = page.next?.marker {
            text += "<NextMarker>\(PercentEncoding.encode(marker.bytes, as: .query))</NextMarker>"
        } else if let next = page.next {
            text += "<NextContinuationToken>\(escaped(next.text))</NextContinuationToken>"
        }
        for item in page.items {
            let key = PercentEncoding.encode(item.key.bytes, as: .path)
            switch item {
            case .commonPrefix: text += "<CommonPrefixes><Prefix>\(key)</Prefix></CommonPrefixes>"
            case .object(let object): text += "<Contents><Key>\(key)</Key>\(fields(of: object))</Contents>"
            }
        }
        return Array((text + "</ListBucketResult>").utf8)
    }

    private static func fields(of object: ListedObject) -> String {
        let time = "\(object.lastModified.utcText.dropLast()).\(object.lastModified.nanoseconds.padded(to: 9))Z"
        let etag = object.version.etag.isStandIn ? "" : object.version.etag.text
        return "<Size>\(object.version.byteCount)</Size><ETag>\(escaped(etag))</ETag>"
            + "<LastModified>\(time)</LastModified><StorageClass>\(escaped(object.storageClass))</StorageClass>"
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": escaped += "&lt;"
            case "&": escaped += "&amp;"
            // As it stands, a line break of one kind would be read as one of another.
            case "\r": escaped += "&#13;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
