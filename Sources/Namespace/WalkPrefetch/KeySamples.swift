import ObjectStore

/// Samples of the keys on the pages of a walk: enough to estimate the distribution of keys over directories.
struct KeySamples {
    /// The sample of one page.
    private struct Stretch {
        let lower: Key
        let upper: Key?
        /// Every `SiblingTemplate.markDistance`th key, including the first.
        let marks: [Key]
    }

    /// The most pages to keep: more than one directory should need at a level with similar siblings.
    private static let countLimit = 128

    /// In the order of keys, without overlap.
    private var stretches: [Stretch] = []

    /// Adds the keys of a page.
    mutating func add(_ keys: [Key], in interval: KeyInterval) {
        let marks = stride(from: 0, to: keys.count, by: SiblingTemplate.markDistance).map { keys[$0] }
        let stretch = Stretch(lower: interval.lower, upper: interval.upper, marks: marks)
        stretches.insert(stretch, at: stretches.firstIndex { $0.lower > interval.lower } ?? stretches.count)
    }

    /// Drops pages far from `key` if there are many.
    mutating func forgetSome(farFrom key: Key) {
        while stretches.count > KeySamples.countLimit {
            if let first = stretches.first, first.upper.map({ $0 < key }) ?? false {
                stretches.removeFirst()
            } else {
                stretches.removeLast()
            }
        }
    }

    /// Returns a template of the directory `name` of `parent`, if the pages reach its end without a gap. Its beginning
    /// may be missing if that was known before the walk was recognized.
    func template(of name: [UInt8], in parent: Key) -> SiblingTemplate? {
        let prefix = parent.directory(name)
        guard let end = prefix.endOfPrefix, let first = firstIndex(reaching: prefix) else { return nil }
        // First checks that they do, which is rare, then collects their keys.
        guard let last = stretches[first...].firstIndex(where: { $0.upper.map { $0 >= end } ?? true }),
            !hasGap(in: first...last)
        else { return nil }
        let marks = stretches[first...last].flatMap { stretch in
            stretch.marks.lazy.filter { $0.hasPrefix(prefix) }.map { $0.dropping(prefix.bytes.count).bytes }
        }
        return SiblingTemplate(name: name, marks: marks)
    }

    /// Returns the first page that ends behind `key`.
    private func firstIndex(reaching key: Key) -> Int? {
        stretches.firstIndex { $0.upper.map { $0 > key } ?? true }
    }

    /// Returns `true` if there is a gap between these pages.
    private func hasGap(in indices: ClosedRange<Int>) -> Bool {
        indices.dropFirst().contains { index in
            stretches[index - 1].upper.map { $0 < stretches[index].lower } ?? false
        }
    }
}
