import ObjectStore

/// What somebody looks at in one subdirectory of a directory after the other: `ls */`, or a loop over a study's subjects that
/// reads the same folder of each.
///
/// A relative path that was looked at in three siblings in a row is asked for in the next ones, as the listing of that one
/// directory: what lies below it is nobody's wish.
struct GlobWalk {
    /// A relative path below siblings.
    fileprivate struct Path {
        /// Relative to the sibling: empty, or ending in "/".
        let relative: [UInt8]
        /// In how many siblings in a row it was looked at.
        var streak = 1
        /// Siblings in which it was asked for and that nobody has come to yet, in the order of keys.
        var requested: [[UInt8]] = []
        /// The sibling that it was asked for in last.
        var frontier: [UInt8] = []
        /// How many siblings ahead to ask.
        var width = 1
    }

    private static let streakMin = 3
    /// How many relative paths are watched below one directory.
    private static let pathCountMax = 8
    fileprivate static let widthMax = 32
    /// How many siblings are looked at for one that is not known.
    fileprivate static let scanCountMax = 256

    private let parent: Key
    private var sibling: [UInt8] = []
    private var paths: [Path] = []
    private var previous: [Path] = []
    /// When it was last of use, in events.
    private(set) var lastUse = 0

    init(parent: Key) {
        self.parent = parent
    }

    /// Somebody looks at `relative` in the subdirectory `name`. The directories whose listings to ask for.
    ///
    /// - Parameter isRead: Whether they read its entries; otherwise they look up a name in it.
    mutating func note(
        _ name: [UInt8], _ relative: [UInt8], isRead: Bool, at time: Int, in tree: some TreeView
    ) -> [Key] {
        lastUse = time
        if name != sibling {
            // Who takes siblings in another order gets no advantage: there is no telling which are next.
            previous = sibling.lexicographicallyPrecedes(name) ? paths : []
            paths = []
            sibling = name
        }
        guard !paths.contains(where: { $0.relative == relative }), paths.count < GlobWalk.pathCountMax else {
            return []
        }
        var path = Path(relative: relative)
        if let before = previous.first(where: { $0.relative == relative }) {
            path = before
            path.advance(to: name)
        }
        var directories: [Key] = []
        if path.streak >= GlobWalk.streakMin && (isRead || !isBeginningOfAnother(relative)) {
            directories = path.request(behind: name, in: parent, tree)
        }
        paths.append(path)
        return directories
    }

    /// Whether the listing of a longer path, which is looked at as well, proves what this one is looked up for.
    private func isBeginningOfAnother(_ relative: [UInt8]) -> Bool {
        previous.contains { $0.relative.count > relative.count && $0.relative.starts(with: relative) }
    }
}

extension GlobWalk.Path {
    /// The path is looked at in the next sibling.
    fileprivate mutating func advance(to name: [UInt8]) {
        streak += 1
        let count = requested.count
        requested.removeAll { !name.lexicographicallyPrecedes($0) }
        // Siblings that were passed without a word were looked at as well: what is known is not told of.
        let usedCount = count - requested.count
        width = min(width + usedCount, GlobWalk.widthMax)
    }

    /// The next listings to ask for, of siblings behind `name`.
    fileprivate mutating func request(behind name: [UInt8], in parent: Key, _ tree: some TreeView) -> [Key] {
        if frontier.lexicographicallyPrecedes(name) { frontier = name }
        var directories: [Key] = []
        var scanCount = 0
        while requested.count < width, scanCount < GlobWalk.scanCountMax,
            let next = tree.subdirectory(of: parent, after: frontier)
        {
            scanCount += 1
            frontier = next
            let directory = parent.directory(next).appending(relative)
            if tree.isListed(directory) { continue }
            requested.append(next)
            directories.append(directory)
        }
        return directories
    }
}
