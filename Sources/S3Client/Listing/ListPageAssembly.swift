import ObjectStore
import SystemSupport

/// Makes the items of a page of the elements that an answer has.
struct ListPageAssembly {
    private let elements: ListPageElements
    private let request: ListRequest
    private let isEncoded: Bool
    /// `true` if the page says that its keys are encoded, and they are not.
    let isFalselyEncoded: Bool
    private(set) var flaws = ListFlaws()

    /// - Parameter isEncodingIgnored: Whether the store is known not to encode keys, whatever it says.
    init(_ elements: ListPageElements, request: ListRequest, isEncodingIgnored: Bool) {
        self.elements = elements
        self.request = request
        isFalselyEncoded =
            elements.isURLEncoded && !isEncodingIgnored && Self.isFalselyEncoded(elements, prefix: request.prefix)
        isEncoded = elements.isURLEncoded && !isEncodingIgnored && !isFalselyEncoded
    }

    /// Returns `true` if keys are not encoded although the page says so: one of them has a "%" that begins no escape, or one begins with
    /// the prefix only as it stands.
    private static func isFalselyEncoded(_ elements: ListPageElements, prefix: Key) -> Bool {
        var (isRight, isRightAsItStands) = (true, true)
        for text in elements.objects.compactMap(\.key) + elements.commonPrefixes {
            guard let decoded = PercentEncoding.decodeForm(text) else { return true }
            if !decoded.starts(with: prefix.bytes) { isRight = false }
            if !text.starts(with: prefix.bytes) { isRightAsItStands = false }
        }
        return !isRight && isRightAsItStands
    }

    /// The position where a listing by markers goes on: `NextMarker`, which stores leave out where no delimiter was asked for, or else
    /// behind the greatest key.
    var nextMarker: Key? {
        if let text = elements.nextMarker, !text.isEmpty { return key(from: text) }
        return (elements.objects.compactMap(\.key) + elements.commonPrefixes).compactMap { key(from: $0) }.max()
    }

    /// The items. Objects and common prefixes each come sorted as a rule, and are merged.
    mutating func page() -> ListPage {
        let objects = usableObjects()
        let prefixes = usablePrefixes()
        guard Self.isAscending(objects, by: \.version.key), Self.isAscending(prefixes, by: \.self) else {
            return ListPage(items: unique(objects, prefixes), isOrdered: false)
        }
        let items = Self.merged(objects, prefixes)
        guard let position = request.position, let first = items.first, first.key <= position else {
            return ListPage(items: items)
        }
        // Some servers list the key itself, or the common prefix that it is in, where S3 begins behind it. Others have an order
        // of their own, or don't know the position at all.
        let isOrdered = items.allSatisfy { item in
            if case .commonPrefix(let prefix) = item, position.hasPrefix(prefix) { true } else { item.key >= position }
        }
        return ListPage(items: isOrdered ? Array(items.drop { $0.key <= position }) : items, isOrdered: isOrdered)
    }

    /// The objects as they came, without those that can't be used. Of two with one key that follow each other the first counts.
    private mutating func usableObjects() -> [ListedObject] {
        var objects: [ListedObject] = []
        objects.reserveCapacity(elements.objects.count)
        for fields in elements.objects {
            guard let key = usableKey(from: fields.key ?? [], last: objects.last?.version.key) else { continue }
            guard let byteCount = fields.byteCount else {
                flaws.note(.noSize, key)
                continue
            }
            if fields.etag == nil { flaws.note(.noETag, key) }
            if fields.lastModified == nil { flaws.note(.noTime, key) }
            let version = ObjectVersion(
                key: key, etag: fields.etag ?? ETag(standInFor: fields.lastModified), byteCount: byteCount)
            objects.append(
                ListedObject(
                    version: version, lastModified: fields.lastModified ?? .unknown, storageClass: fields.storageClass))
        }
        return objects
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

    /// The key of these bytes; `nil`, and counted, where no entry can be made of them.
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

    private static func isAscending<Element>(_ elements: [Element], by key: (Element) -> Key) -> Bool {
        zip(elements, elements.dropFirst()).allSatisfy { key($0) < key($1) }
    }

    /// Both in one order. A key that is a common prefix too counts once, as that: a folder.
    private static func merged(_ objects: [ListedObject], _ prefixes: [Key]) -> [ListPage.Item] {
        var items: [ListPage.Item] = []
        items.reserveCapacity(objects.count + prefixes.count)
        var prefixIndex = 0
        for object in objects {
            let key = object.version.key
            while prefixIndex < prefixes.count, prefixes[prefixIndex] < key {
                items.append(.commonPrefix(prefixes[prefixIndex]))
                prefixIndex += 1
            }
            if prefixIndex == prefixes.count || prefixes[prefixIndex] != key { items.append(.object(object)) }
        }
        return items + prefixes[prefixIndex...].map { .commonPrefix($0) }
    }

    /// Objects, then common prefixes, as they came, each key once.
    private mutating func unique(_ objects: [ListedObject], _ prefixes: [Key]) -> [ListPage.Item] {
        let folders = Set(prefixes)
        let files = objects.filter { !folders.contains($0.version.key) }
        var seen: Set<Key> = []
        let items: [ListPage.Item] = files.map { .object($0) } + prefixes.map { .commonPrefix($0) }
        return items.filter { item in
            if seen.insert(item.key).inserted { return true }
            flaws.note(.repeated, item.key)
            return false
        }
    }
}
