import ObjectStore
import SystemSupport

/// Builds the items of a page from the elements of a response.
struct ListPageAssembly {
    private let elements: ListPageElements
    private let request: ListRequest
    private let isEncoded: Bool
    /// `true` if the page declares its keys as encoded and they are not.
    let isFalselyEncoded: Bool
    private(set) var flaws = ListFlaws()

    /// Begins the page that answers `request`.
    ///
    /// - Parameter isEncodingIgnored: `true` if the store is known not to encode keys, whatever it declares.
    init(_ elements: ListPageElements, request: ListRequest, isEncodingIgnored: Bool) {
        self.elements = elements
        self.request = request
        // Without escapes, keys are the same whether they are encoded or not.
        let isDeclared = elements.isURLEncoded && elements.hasEscapes && !isEncodingIgnored
        isFalselyEncoded = isDeclared && Self.isFalselyEncoded(elements, prefix: request.prefix)
        isEncoded = isDeclared && !isFalselyEncoded
    }

    /// Returns `true` if keys are not encoded although the page declares it: one of them has a "%" that begins no
    /// escape, or they begin with the prefix only when they are not decoded.
    private static func isFalselyEncoded(_ elements: ListPageElements, prefix: Key) -> Bool {
        var (isRight, isRightAsItStands) = (true, true)
        for text in elements.objects.compactMap(\.key) + elements.commonPrefixes {
            guard let decoded = PercentEncoding.decodeForm(text) else { return true }
            if !decoded.starts(with: prefix.bytes) { isRight = false }
            if !text.starts(with: prefix.bytes) { isRightAsItStands = false }
        }
        return !isRight && isRightAsItStands
    }

    /// The marker at which the next page begins: `NextMarker`, which stores omit for requests without a delimiter, or
    /// the greatest key.
    var nextMarker: Key? {
        if let text = elements.nextMarker, !text.isEmpty { return key(from: text) }
        return (elements.objects.compactMap(\.key) + elements.commonPrefixes).compactMap { key(from: $0) }.max()
    }

    /// Returns the page. Objects and common prefixes are merged; each of them is usually sorted.
    mutating func page() -> ListPage {
        let (objects, areObjectsAscending) = usableObjects()
        let prefixes = usablePrefixes()
        guard areObjectsAscending, zip(prefixes, prefixes.dropFirst()).allSatisfy(<) else {
            return ListPage(items: unique(objects, prefixes), isOrdered: false)
        }
        let items = prefixes.isEmpty ? objects : Self.merged(objects, prefixes)
        guard let position = request.position, let first = items.first, first.key <= position else {
            return ListPage(items: items)
        }
        // Some servers include the key of the position, or the common prefix that contains it; S3 begins behind it.
        // Others have a different order, or do not know the position at all.
        let isOrdered = items.allSatisfy { item in
            if case .commonPrefix(let prefix) = item, position.hasPrefix(prefix) { true } else { item.key >= position }
        }
        return ListPage(items: isOrdered ? Array(items.drop { $0.key <= position }) : items, isOrdered: isOrdered)
    }

    /// Returns the objects in their original order, without those that cannot be used. Of two adjacent objects with the
    /// same key, the first one is used.
    private mutating func usableObjects() -> (objects: [ListPage.Item], areAscending: Bool) {
        var objects: [ListPage.Item] = []
        objects.reserveCapacity(elements.objects.count)
        var last: Key?
        var areAscending = true
        for fields in elements.objects {
            guard let key = usableKey(from: fields.key ?? [], last: last) else { continue }
            guard let byteCount = fields.byteCount else {
                flaws.note(.noSize, key)
                continue
            }
            if fields.etag == nil { flaws.note(.noETag, key) }
            if fields.lastModified == nil { flaws.note(.noTime, key) }
            let version = ObjectVersion(
                key: key, etag: fields.etag ?? ETag(standInFor: fields.lastModified), byteCount: byteCount)
            objects.append(
                .object(
                    ListedObject(
                        version: version, lastModified: fields.lastModified ?? .unknown,
                        storageClass: fields.storageClass)))
            if let last, key < last { areAscending = false }
            last = key
        }
        return (objects, areAscending)
    }

    private mutating func usablePrefixes() -> [Key] {
        var prefixes: [Key] = []
        prefixes.reserveCapacity(elements.commonPrefixes.count)
        for text in elements.commonPrefixes {
            guard let prefix = usableKey(from: text, last: prefixes.last) else { continue }
            if prefix.endsInDelimiter { prefixes.append(prefix) } else { flaws.note(.badKey, prefix) }
        }
        return prefixes
    }

    /// Returns the key of these bytes; `nil` if they are not a usable key, which is counted as a flaw.
    private mutating func usableKey(from text: [UInt8], last: Key?) -> Key? {
        guard !text.isEmpty, !ListedText.hasPlaceholder(text), let key = key(from: text) else {
            flaws.note(.badKey, Key(text))
            return nil
        }
        guard key.hasPrefix(request.prefix) else {
            flaws.note(.outsidePrefix, key)
            return nil
        }
        guard key != last else {
            flaws.note(.repeated, key)
            return nil
        }
        return key
    }

    private func key(from text: [UInt8]) -> Key? {
        isEncoded ? PercentEncoding.decodeForm(text).map { Key($0) } : Key(text)
    }

    /// Merges both in order. A key that is also a common prefix counts only as that, as a folder.
    private static func merged(_ objects: [ListPage.Item], _ prefixes: [Key]) -> [ListPage.Item] {
        var items: [ListPage.Item] = []
        items.reserveCapacity(objects.count + prefixes.count)
        var prefixIndex = 0
        for object in objects {
            let key = object.key
            while prefixIndex < prefixes.count, prefixes[prefixIndex] < key {
                items.append(.commonPrefix(prefixes[prefixIndex]))
                prefixIndex += 1
            }
            if prefixIndex == prefixes.count || prefixes[prefixIndex] != key { items.append(object) }
        }
        return items + prefixes[prefixIndex...].map { .commonPrefix($0) }
    }

    /// Returns the objects and then the common prefixes in their original order, each key once.
    private mutating func unique(_ objects: [ListPage.Item], _ prefixes: [Key]) -> [ListPage.Item] {
        let folders = Set(prefixes)
        var seen: Set<Key> = []
        let items = objects.filter { !folders.contains($0.key) } + prefixes.map { .commonPrefix($0) }
        return items.filter { item in
            if seen.insert(item.key).inserted { return true }
            flaws.note(.repeated, item.key)
            return false
        }
    }
}
