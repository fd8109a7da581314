import ObjectStore

/// Where keys stand on the pages that a walk's listings brought: enough of them to tell how keys spread over directories.
struct KeySamples {
    /// What is remembered of one page.
    private struct Stretch {
        let lower: Key
        let upper: Key?
        /// How many keys it brought.
        let keyCount: Int
        /// Each `SiblingTemplate.markDistance`th of them, the first one included.
        let marks: [Key]
    }

    /// How many pages are remembered: more than one directory of a level at which siblings are alike should need.
    private static let countLimit = 128

    /// In the order of keys; they don't overlap.
    private var stretches: [Stretch] = []

    /// Notes what a page brought.
    mutating func add(_ keys: [Key], in interval: KeyInterval) {
        let marks = stride(from: 0, to: keys.count, by: SiblingTemplate.markDistance).map { keys[$0] }
        let stretch = Stretch(lower: interval.lower, upper: interval.upper, keyCount: keys.count, marks: marks)
        stretches.insert(stretch, at: stretches.firstIndex { $0.lower > interval.lower } ?? stretches.count)
    }

    /// Forgets pages far from `key`, where there are many.
    mutating func forgetSome(farFrom key: Key) {
        while stretches.count > KeySamples.countLimit {
            if let first = stretches.first, first.upper.map({ $0 < key }) ?? false {
                stretches.removeFirst()
            } else {
                stretches.removeLast()
            }
        }
    }

    /// How many keys were seen below `prefix`, about: pages that begin or end elsewhere count by their marks.
    func keyCount(below prefix: Key) -> Int {
        let end = prefix.endOfPrefix
        var count = 0
        for stretch in stretches {
            if let end, stretch.lower >= end { break }
            if let upper = stretch.upper, upper <= prefix { continue }
            if stretch.lower >= prefix, let upper = stretch.upper, end.map({ upper <= $0 }) ?? true {
                count += stretch.keyCount
            } else {
                count += stretch.marks.count { $0.hasPrefix(prefix) } * SiblingTemplate.markDistance
            }
        }
        return count
    }

    /// A template made of the directory `name` of `parent`, if the pages have come to its end without a gap; what was known
    /// of its beginning before the walk was recognised may be missing.
    func template(of name: [UInt8], in parent: Key) -> SiblingTemplate? {
        let prefix = parent.directory(name)
        guard let end = prefix.endOfPrefix, let first = firstIndex(reaching: prefix) else { return nil }
        // First whether they have, which is seldom so, then what they brought.
        guard let last = stretches[first...].firstIndex(where: { $0.upper.map { $0 >= end } ?? true }),
            !hasGap(in: first...last)
        else { return nil }
        let marks = stretches[first...last].flatMap { stretch in
            stretch.marks.lazy.filter { $0.hasPrefix(prefix) }.map { $0.dropping(prefix.bytes.count).bytes }
        }
        return SiblingTemplate(name: name, marks: marks)
    }

    /// The first page that goes beyond `key`.
    private func firstIndex(reaching key: Key) -> Int? {
        stretches.firstIndex { $0.upper.map { $0 > key } ?? true }
    }

    /// Whether these pages leave out anything between them.
    private func hasGap(in indices: ClosedRange<Int>) -> Bool {
        indices.dropFirst().contains { index in
            stretches[index - 1].upper.map { $0 < stretches[index].lower } ?? false
        }
    }
}
