import ObjectStore

/// Where keys stand on the pages that a walk's listings brought: enough of them to tell how keys spread over directories.
struct KeySurvey {
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
        while stretches.count > KeySurvey.countLimit {
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
        guard let end = prefix.endOfPrefix else { return nil }
        var marks: [[UInt8]] = []
        var reached: Key?
        for stretch in stretches {
            guard stretch.upper.map({ $0 > prefix }) ?? true else { continue }
            if let reached, stretch.lower > reached { return nil }
            for mark in stretch.marks where mark.hasPrefix(prefix) {
                marks.append(mark.dropping(prefix.bytes.count).bytes)
            }
            guard let upper = stretch.upper, upper < end else { return SiblingTemplate(name: name, marks: marks) }
            reached = upper
        }
        return nil
    }
}
