import ObjectStore

/// Predicts where another page can begin, from the earlier pages of a walk, so that several list the tree in parallel.
///
/// The tree is divided into segments of about three pages, and the pages of one follow each other. A beginning costs
/// half a page on average, since the page before it runs into the segment. Once the walk has covered a sibling of the
/// directory at hand, a segment ends that many keys further in it (`SiblingTemplate`), and otherwise behind as many
/// subdirectories as hold that many keys on average. A wrong prediction costs part of a request, but never an entry.
struct SegmentPredictor {
    private struct Level {
        /// The keys in subdirectories, and the ends of subdirectories, that pages have covered.
        var keyCount = 0
        var childEndCount = 0
        var template: SiblingTemplate?

        var averageKeyCount: Int { max(1, keyCount / max(1, childEndCount)) }
    }

    /// The number of keys of a segment: somewhat less than three pages, since a short fourth one would cost a request.
    private static let segmentKeyCount = 2_900
    /// The number of keys below a directory from which on its subdirectories are beginnings of segments.
    private static let dividedKeyCountMin = segmentKeyCount / 2
    /// The number of keys of a directory from which on it is a template for its siblings; smaller ones have averages.
    private static let templateKeyCountMin = 500
    private static let levelCountLimit = 256

    private let root: Key
    private var levels: [Key: Level] = [:]
    private var samples = KeySamples()

    init(root: Key) {
        self.root = root
    }

    /// Learns from a page with `keys` in `interval`, which no earlier page covered.
    mutating func learn(_ keys: [Key], in interval: KeyInterval) {
        guard let first = keys.first, let last = keys.last else { return }
        samples.add(keys, in: interval)
        samples.forgetSome(farFrom: interval.lower)
        if levels.count > Self.levelCountLimit { levels = levels.filter { last.hasPrefix($0.key) } }
        for prefix in first.directories(from: root) where last.hasPrefix(prefix) { count(keys, in: prefix) }
        for prefix in interval.lower.directories(from: root) { learnTemplate(of: prefix, from: interval.lower) }
    }

    private mutating func count(_ keys: [Key], in prefix: Key) {
        guard let first = keys.first?.child(of: prefix), let last = keys.last else { return }
        // At most levels, all keys are in one child.
        if last.child(of: prefix) == first {
            levels[prefix, default: Level()].keyCount += keys.count
            return
        }
        var level = levels[prefix] ?? Level()
        var current = first
        for key in keys {
            guard let child = key.child(of: prefix) else { continue }
            if current != child { level.childEndCount += 1 }
            current = child
            level.keyCount += 1
        }
        levels[prefix] = level
    }

    /// Makes a template of the child of `prefix` that contains `key`, if its end was covered.
    private mutating func learnTemplate(of prefix: Key, from key: Key) {
        guard let child = key.child(of: prefix).map(Array.init), levels[prefix]?.template?.name != child,
            let template = samples.template(of: child, in: prefix),
            template.keyCount > Self.templateKeyCountMin
        else { return }
        levels[prefix, default: Level()].template = template
    }

    /// Returns the end of a segment that begins at `start`; `nil` if there is no basis for a prediction.
    func end(from start: Key, in tree: some TreeView) -> Key? {
        let prefixes = start.directories(from: root)
        for prefix in prefixes {
            if let template = levels[prefix]?.template, let end = end(from: start, in: prefix, by: template, tree) {
                return end
            }
        }
        for prefix in prefixes.reversed() {
            if let level = levels[prefix], level.keyCount >= Self.dividedKeyCountMin,
                let end = end(from: start, in: prefix, average: level.averageKeyCount, tree)
            {
                return end
            }
        }
        return nil
    }

    /// Returns the topmost directory above `key` whose children would be useful beginnings of pages and aren't all
    /// known.
    func unlistedLevel(above key: Key, in tree: some TreeView) -> Key? {
        key.directories(from: root).first { prefix in
            guard let level = levels[prefix], level.keyCount >= Self.segmentKeyCount else { return false }
            return !tree.isComplete(prefix)
        }
    }

    private func end(from start: Key, in prefix: Key, average: Int, _ tree: some TreeView) -> Key? {
        let count = max(1, Self.segmentKeyCount / average)
        let child = start.child(of: prefix).map { Array($0) + [Key.delimiter + 1] }
        let sortKey = child ?? start.dropping(prefix.bytes.count).bytes
        let names = tree.subdirectories(of: prefix, from: sortKey, limit: count)
        return names.count == count ? prefix.directory(names[count - 1]) : nil
    }

    private func end(from start: Key, in prefix: Key, by template: SiblingTemplate, _ tree: some TreeView) -> Key? {
        var sibling = Array(start.child(of: prefix) ?? [])
        var count = Self.segmentKeyCount
        if sibling.isEmpty {
            let sortKey = start.dropping(prefix.bytes.count).bytes
            guard let first = tree.subdirectories(of: prefix, from: sortKey, limit: 1).first else { return nil }
            sibling = first
        } else {
            let relative = start.bytes.dropFirst(prefix.bytes.count + sibling.count + 1)
            count += template.keyCount(before: relative, in: sibling)
        }
        while count >= template.keyCount {
            guard let next = tree.subdirectory(of: prefix, after: sibling) else { return nil }
            sibling = next
            count -= template.keyCount
        }
        guard let relative = template.key(behind: count, in: sibling) else { return nil }
        let end = prefix.directory(sibling).appending(relative)
        return end > start ? end : nil
    }
}
