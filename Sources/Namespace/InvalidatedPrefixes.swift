import ObjectStore

/// What was forgotten when, so that pages that were asked for before and come later don't bring it back.
struct InvalidatedPrefixes {
    private struct Invalidation {
        let prefix: Key
        let extent: Namespace.Extent
        let moment: ContinuousClock.Instant
    }

    /// More than are forgotten while a page is under way. What was forgotten before counts as everything from then on.
    private static let countMax = 64

    private var prefixes: [Invalidation] = []
    private var everything: ContinuousClock.Instant?

    mutating func note(_ prefix: Key, _ extent: Namespace.Extent, at moment: ContinuousClock.Instant) {
        prefixes.append(Invalidation(prefix: prefix, extent: extent, moment: moment))
        if prefixes.count > Self.countMax { everything = prefixes.removeFirst().moment }
    }

    /// Whether the directory of `prefix` was forgotten after this moment.
    func contains(_ prefix: Key, requestedAt: ContinuousClock.Instant) -> Bool {
        if let everything, requestedAt <= everything { return true }
        return prefixes.contains { requestedAt <= $0.moment && $0.extent.contains(prefix, in: $0.prefix) }
    }
}

extension Namespace.Extent {
    /// Whether the directory of `prefix` is meant with that of `root`.
    func contains(_ prefix: Key, in root: Key) -> Bool {
        switch self {
        case .directory: prefix == root
        case .tree: prefix.hasPrefix(root)
        }
    }
}
