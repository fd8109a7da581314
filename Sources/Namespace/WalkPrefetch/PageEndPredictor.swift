import ObjectStore

/// Predicts the end of a flat page from its beginning and the earlier pages of a walk.
///
/// Two methods are tried, from the walk's root down. If siblings are small, the page ends after as many siblings as
/// hold one page of keys on average. If they are big, it ends at the key that is one page further in the last sibling
/// (`SiblingTemplate`). A wrong prediction costs requests, so each level of the tree has a limit of predictions at a
/// time (`trust`), which right ones raise and wrong ones lower.
struct PageEndPredictor {
    /// A predicted end.
    struct Guess {
        /// The key that the page is expected to reach, at which the next one can begin.
        let end: Key
        /// The directory whose children it is based on.
        let level: Key
    }

    private struct Level {
        /// The keys in subdirectories, and the ends of subdirectories, that pages have covered.
        var keyCount = 0
        var childEndCount = 0
        var template: SiblingTemplate?
        /// `true` if a child has several pages of keys: then a page that begins at each sibling is no great loss.
        var hasBigChild = false
        /// The number of predictions that may be in flight; 0 after wrong ones.
        var trust = 2
        var openGuessCount = 0

        var averageKeyCount: Int? {
            childEndCount >= PageEndPredictor.childCountMin ? max(1, keyCount / childEndCount) : nil
        }
    }

    /// The most keys that S3 returns on a page.
    static let pageKeyCount = 1_000
    /// The number of children that must be known before their average counts.
    private static let childCountMin = 4
    /// The number of keys of a directory that is listed in parallel with its siblings.
    private static let bigKeyCount = 3 * pageKeyCount
    /// The size above which siblings are predicted one by one.
    private static let groupedKeyCountMax = 500
    private static let trustMax = 64
    private static let levelCountLimit = 256

    private let root: Key
    private var levels: [Key: Level] = [:]
    private var samples = KeySamples()
    /// The number of keys that a page is assumed to cover: fewer than it has, since a gap between two pages costs a
    /// third one.
    private var reach = 930

    init(root: Key) {
        self.root = root
    }

    /// Learns from a page with `keys` in `interval`, which no earlier page covered.
    mutating func learn(_ keys: [Key], in interval: KeyInterval) {
        guard let first = keys.first, let last = keys.last else { return }
        samples.add(keys, in: interval)
        samples.forgetSome(farFrom: interval.lower)
        if levels.count > PageEndPredictor.levelCountLimit { levels = levels.filter { last.hasPrefix($0.key) } }
        for prefix in first.directories(from: root) where last.hasPrefix(prefix) { count(keys, in: prefix) }
        for prefix in interval.lower.directories(from: root) { learnTemplate(of: prefix, from: interval.lower) }
        for prefix in last.directories(from: root) where levels[prefix]?.hasBigChild != true {
            learnSize(of: prefix, from: last)
        }
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

    /// Notes if the child of `prefix` that contains `key` has several pages of keys.
    private mutating func learnSize(of prefix: Key, from key: Key) {
        guard let child = key.child(of: prefix) else { return }
        if samples.keyCount(below: prefix.directory(child)) >= PageEndPredictor.bigKeyCount {
            levels[prefix, default: Level()].hasBigChild = true
        }
    }

    /// Makes a template of the child of `prefix` that contains `key`, if its end was covered.
    private mutating func learnTemplate(of prefix: Key, from key: Key) {
        guard let child = key.child(of: prefix).map(Array.init), levels[prefix]?.template?.name != child,
            let template = samples.template(of: child, in: prefix),
            template.keyCount > PageEndPredictor.groupedKeyCountMax
        else { return }
        levels[prefix, default: Level()].template = template
        if levels[prefix]?.trust == 0 { levels[prefix]?.trust = 1 }
    }

    /// Returns the predicted end of a page that begins at `start`; `nil` if there is no basis for one.
    func guess(from start: Key, in tree: some TreeView) -> Guess? {
        for prefix in start.directories(from: root) {
            guard let level = levels[prefix], level.openGuessCount < level.trust else { continue }
            if let template = level.template {
                if let end = end(from: start, in: prefix, by: template, tree) { return Guess(end: end, level: prefix) }
            } else if let average = level.averageKeyCount, average <= PageEndPredictor.groupedKeyCountMax {
                if let end = end(from: start, in: prefix, average: average, tree) {
                    return Guess(end: end, level: prefix)
                }
            }
        }
        return nil
    }

    /// Returns the topmost directory above `key` whose children would be useful beginnings of pages and aren't all
    /// known.
    func unlistedLevel(above key: Key, in tree: some TreeView) -> Key? {
        key.directories(from: root).first { prefix in
            guard let level = levels[prefix], level.hasBigChild || level.averageKeyCount != nil else { return false }
            return !tree.isComplete(prefix)
        }
    }

    /// Returns the next directory behind `start` that is probably worth a request of its own, because its sibling
    /// around `start` was. Without a prediction, another page can begin there.
    func boundary(behind start: Key, in tree: some TreeView) -> Key? {
        for prefix in start.directories(from: root).reversed() where levels[prefix]?.hasBigChild == true {
            guard let child = start.child(of: prefix),
                let next = tree.subdirectory(of: prefix, after: Array(child))
            else { continue }
            return prefix.directory(next)
        }
        return nil
    }

    private func end(from start: Key, in prefix: Key, average: Int, _ tree: some TreeView) -> Key? {
        let count = max(1, reach / average)
        let sortKey = start.dropping(prefix.bytes.count).bytes
        let names = tree.subdirectories(of: prefix, from: sortKey, limit: count + 1)
        if names.count > count { return prefix.directory(names[count]) }
        return tree.isComplete(prefix) ? prefix.endOfPrefix : nil
    }

    private func end(from start: Key, in prefix: Key, by template: SiblingTemplate, _ tree: some TreeView) -> Key? {
        var sibling = Array(start.child(of: prefix) ?? [])
        var count = reach
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

    /// Notes a prediction that a request is based on.
    mutating func begin(_ guess: Guess) {
        levels[guess.level, default: Level()].openGuessCount += 1
    }

    /// Notes the result of a prediction. Keys at its end and behind it were requested twice.
    ///
    /// - Parameters:
    ///   - keyCount: The number of the page's keys before the predicted end; `nil` if the page failed.
    ///   - hasGap: `true` if the page didn't reach that end.
    mutating func settle(_ guess: Guess, keyCount: Int?, hasGap: Bool) {
        guard var level = levels[guess.level] else { return }
        level.openGuessCount = max(0, level.openGuessCount - 1)
        defer { levels[guess.level] = level }
        guard let keyCount else { return }
        if hasGap {
            reach = max(700, reach - 20)
            level.trust = max(1, level.trust - 1)
        } else if keyCount < PageEndPredictor.pageKeyCount * 6 / 10 {
            level.trust /= 2
            if level.trust == 0 { level.template = nil }
        } else {
            reach = min(970, reach + 5)
            level.trust = min(level.trust * 2, PageEndPredictor.trustMax)
        }
    }
}
