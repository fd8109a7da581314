import ObjectStore

/// Guesses how far a flat page goes that begins at some key, from what the pages of a walk so far have shown.
///
/// Two ways, tried from the walk's root down. Where siblings are small, as many of them as have a page's keys on average.
/// Where they are big, the place that many keys on in the sibling that was seen last (`SiblingTemplate`). What doesn't fit
/// costs requests, so each level has to earn the trust that guesses are made by it: the number of guesses at a time.
struct PageEndPredictor {
    /// A guess.
    struct Guess {
        /// The key that the page is expected to reach, and the next one can begin at.
        let end: Key
        /// The directory whose children it was made by.
        let level: Key
    }

    private struct Level {
        /// Keys in its subdirectories, and ends of subdirectories, that were seen.
        var keyCount = 0
        var childEndCount = 0
        var template: SiblingTemplate?
        /// Whether a child was seen that has more keys than a page: then its siblings are worth a page each.
        var hasBigChild = false
        /// How many guesses may be under way; 0 where they have been wrong.
        var trust = 2
        var openGuessCount = 0

        var averageKeyCount: Int? {
            childEndCount >= PageEndPredictor.childCountMin ? max(1, keyCount / childEndCount) : nil
        }
    }

    /// S3 gives no more than this on a page.
    static let pageKeyCount = 1_000
    /// How many children must have been seen before their average counts.
    private static let childCountMin = 4
    /// Bigger ones are looked at singly.
    private static let groupedKeyCountMax = 500
    private static let trustMax = 64
    private static let levelCountLimit = 256

    private let root: Key
    private var levels: [Key: Level] = [:]
    private var samples = KeySamples()
    /// How many keys pages are thought to reach: fewer than they have, since a gap that is left between two pages costs
    /// another one.
    private var reach = 930

    init(root: Key) {
        self.root = root
    }

    /// Learns from a page that tells of `keys` in `interval`, which no page told of before.
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
        // All of them are in one child: that is so at most levels.
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

    /// Looks whether the child of `prefix` that `key` is in has more keys than a page.
    private mutating func learnSize(of prefix: Key, from key: Key) {
        guard let child = key.child(of: prefix) else { return }
        if samples.keyCount(below: prefix.directory(child)) >= PageEndPredictor.pageKeyCount {
            levels[prefix, default: Level()].hasBigChild = true
        }
    }

    /// Looks whether the child of `prefix` that `key` is in has been seen to its end.
    private mutating func learnTemplate(of prefix: Key, from key: Key) {
        guard let child = key.child(of: prefix).map(Array.init), levels[prefix]?.template?.name != child,
            let template = samples.template(of: child, in: prefix),
            template.keyCount > PageEndPredictor.groupedKeyCountMax
        else { return }
        levels[prefix, default: Level()].template = template
        if levels[prefix]?.trust == 0 { levels[prefix]?.trust = 1 }
    }

    /// How far a page is going to tell that begins at `start`; `nil` where there is no telling.
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

    /// The topmost directory above `key` whose children would be worth knowing, to have pages begin at them, and aren't all
    /// known.
    func unlistedLevel(above key: Key, in tree: some TreeView) -> Key? {
        key.directories(from: root).first { prefix in
            guard let level = levels[prefix], level.hasBigChild || level.averageKeyCount != nil else { return false }
            return !tree.isComplete(prefix)
        }
    }

    /// The next directory behind `start` that is big enough to be worth a request of its own, if the one that `start` is
    /// in has been: where there is no telling how far a page goes, another one can begin there.
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

    /// A guess was acted upon.
    mutating func begin(_ guess: Guess) {
        levels[guess.level, default: Level()].openGuessCount += 1
    }

    /// The page has come, or not (`nil`): what it told of beginning with the guess's end or behind was told twice.
    ///
    /// - Parameters:
    ///   - keyCount: How many keys the page has in front of the end that was guessed.
    ///   - hasGap: Whether it didn't reach that end.
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
