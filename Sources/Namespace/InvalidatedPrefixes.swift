import ObjectStore

/// Recent invalidations with their times, so that pages requested before one of them don't bring the old entries back.
struct InvalidatedPrefixes {
    private struct Invalidation {
        let prefix: Key
        let extent: Namespace.Extent
        let moment: ContinuousClock.Instant
    }

    /// The maximum number of invalidations to remember: more than are made while a page is in flight. Beyond it, the
    /// oldest one counts as an invalidation of everything.
    private static let countMax = 64

    private var prefixes: [Invalidation] = []
    private var everything: ContinuousClock.Instant?

    mutating func note(_ prefix: Key, _ extent: Namespace.Extent, at moment: ContinuousClock.Instant) {
        prefixes.append(Invalidation(prefix: prefix, extent: extent, moment: moment))
        if prefixes.count > Self.countMax { everything = prefixes.removeFirst().moment }
    }

    /// Returns `true` if the directory of `prefix` was invalidated after this time.
    func contains(_ prefix: Key, requestedAt: ContinuousClock.Instant) -> Bool {
        if let everything, requestedAt <= everything { return true }
        return prefixes.contains { requestedAt <= $0.moment && $0.extent.contains(prefix, in: $0.prefix) }
    }
}

extension Namespace.Extent {
    /// Returns `true` if the extent of `root` includes the directory of `prefix`.
    func contains(_ prefix: Key, in root: Key) -> Bool {
        switch self {
        case .directory: prefix == root
        case .tree: prefix.hasPrefix(root)
        }
    }
}
