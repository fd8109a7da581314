public import ObjectStore
public import SystemSupport

/// An object as the in-memory store and the test server keep it.
public struct StoredObject: Hashable, Sendable {
    /// What a listing says of it.
    public let listed: ListedObject
    /// Its bytes.
    public let body: ObjectBody

    /// The version that its ETag names.
    public var version: ObjectVersion { listed.version }
}

/// The objects of a bucket, with S3's rules for listing them.
public struct StoreContents: Sendable {
    /// When an object was last modified where a test doesn't say: 2020-09-13T12:26:40Z.
    public static let defaultLastModified = Timestamp(seconds: 1_600_000_000)
    /// How many items S3 puts on a page at the most.
    public static let pageLimitMax = 1_000

    /// All keys in ascending order.
    public private(set) var keys: [Key] = []
    private var objects: [Key: StoredObject] = [:]
    /// How many objects were ever put; makes ETags that differ.
    private var putCount = 0

    /// No objects.
    public init() {}

    /// Writes an object, over the one of the same key if there is one.
    ///
    /// - Parameter etag: By default one that no other object has, also where the bytes are the same.
    /// - Returns: The version written.
    @discardableResult
    public mutating func put(
        _ key: Key, _ body: ObjectBody, etag: ETag? = nil, lastModified: Timestamp = defaultLastModified,
        storageClass: String = "STANDARD"
    ) -> ObjectVersion {
        let object = makeObject(key, body, etag: etag, lastModified: lastModified, storageClass: storageClass)
        if objects.updateValue(object, forKey: key) == nil {
            keys.insert(key, at: firstIndex(notBefore: key))
        }
        return object.version
    }

    private mutating func makeObject(
        _ key: Key, _ body: ObjectBody, etag: ETag? = nil, lastModified: Timestamp = defaultLastModified,
        storageClass: String = "STANDARD"
    ) -> StoredObject {
        putCount += 1
        let version = ObjectVersion(
            key: key, etag: etag ?? ETag("\"tag-\(putCount)\""), byteCount: body.byteCount)
        let listed = ListedObject(version: version, lastModified: lastModified, storageClass: storageClass)
        return StoredObject(listed: listed, body: body)
    }

    /// Writes many objects at once: one by one they would take time by the square of their number, unless in order.
    public mutating func put(_ bodies: [Key: ObjectBody]) {
        let newKeys = bodies.keys.filter { objects[$0] == nil }
        objects.reserveCapacity(objects.count + newKeys.count)
        for (key, body) in bodies { objects[key] = makeObject(key, body) }
        keys = (keys + newKeys).sorted()
    }

    /// Removes an object. Does nothing where there is none, like S3.
    public mutating func delete(_ key: Key) {
        if objects.removeValue(forKey: key) != nil {
            keys.remove(at: firstIndex(notBefore: key))
        }
    }

    /// The object of this key.
    public subscript(key: Key) -> StoredObject? { objects[key] }

    /// One page of a listing, by the rules of S3's ListObjectsV2: a continuation token takes the place of `startAfter`;
    /// a common prefix is left out unless it is greater than `startAfter`, although there may be keys below it that are
    /// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html, `delimiter`).
    ///
    /// - Parameter pageLimit: At most so many items a page, however many the request allows.
    /// - Returns: The page; `nil` where the continuation token is none of ours.
    public func page(_ request: ListRequest, pageLimit: Int = pageLimitMax) -> ListPage? {
        var after = request.startAfter
        if let continuation = request.continuation {
            guard let key = continuation.resumeKey else { return nil }
            after = key
        }
        let limit = min(request.limit, pageLimit)
        var items: [ListPage.Item] = []
        var index = firstIndex(notBefore: max(request.prefix, after ?? .empty))
        while index < keys.count, keys[index].hasPrefix(request.prefix) {
            let item = item(at: index, of: request)
            if after.map({ item.key > $0 }) ?? true {
                guard items.count < limit else {
                    return ListPage(items: items, next: items.last.map { ContinuationToken(resumingAfter: $0.key) })
                }
                items.append(item)
            }
            index = indexAfter(item, at: index)
        }
        return ListPage(items: items)
    }

    /// What a listing shows for the key at `index`: the object, or the common prefix that stands for it.
    private func item(at index: Int, of request: ListRequest) -> ListPage.Item {
        let key = keys[index]
        let rest = key.bytes.dropFirst(request.prefix.bytes.count)
        if request.isDelimited, let end = rest.firstIndex(of: Key.delimiter) {
            return .commonPrefix(Key(key.bytes[...end]))
        }
        guard let object = objects[key] else { preconditionFailure("a key without an object: \(key)") }
        return .object(object.listed)
    }

    /// The index of the first key that `item`, which stands for the key at `index`, does not stand for.
    private func indexAfter(_ item: ListPage.Item, at index: Int) -> Int {
        guard case .commonPrefix(let prefix) = item else { return index + 1 }
        // Behind "a/" and all that begins so comes what begins with "a0": "0" follows "/" in ASCII.
        return firstIndex(notBefore: Key(prefix.bytes.dropLast() + [Key.delimiter + 1]))
    }

    /// The index of the first key that is `key` or follows it (binary search).
    private func firstIndex(notBefore key: Key) -> Int {
        var range = 0..<keys.count
        while !range.isEmpty {
            let middle = range.lowerBound + range.count / 2
            range = keys[middle] < key ? middle + 1..<range.upperBound : range.lowerBound..<middle
        }
        return range.lowerBound
    }
}

extension ContinuationToken {
    /// A token that goes on behind `key`: its bytes in hexadecimal, so that nobody takes it for a key.
    init(resumingAfter key: Key) {
        self.init("after-" + key.bytes.map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined())
    }

    /// Another token that goes on behind the same key.
    var respelled: ContinuationToken { ContinuationToken(text + ".") }

    /// The key that the listing goes on behind, `nil` where this is no token of ours.
    var resumeKey: Key? {
        guard text.hasPrefix("after-") else { return nil }
        let digits = Array(text.dropFirst("after-".count).utf8.prefix { $0 != UInt8(ascii: ".") })
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count - 1, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return digits.count.isMultiple(of: 2) ? Key(bytes) : nil
    }
}
