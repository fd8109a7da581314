import ObjectStore

/// A program that reads the same relative paths in one subdirectory of a directory after the other: `ls */`, or a loop
/// over a study's subjects that reads the same folder of each.
///
/// A relative path that was read in three siblings in a row is prefetched in the next ones, as the listing of that one
/// directory. Nothing below it is needed.
struct GlobWalk {
    /// A relative path below siblings.
    fileprivate struct Path {
        /// Relative to the sibling: empty, or ending in "/".
        let relative: [UInt8]
        /// The number of siblings in a row in which it was read.
        var streak = 1
        /// Siblings in which it was requested and not yet read, in the order of keys.
        var requested: [[UInt8]] = []
        /// The last sibling in which it was requested.
        var frontier: [UInt8] = []
        /// The number of siblings to request ahead.
        var width = 1
    }

    private static let streakMin = 3
    /// The most relative paths to track below one directory.
    private static let pathCountMax = 8
    fileprivate static let widthMax = 32
    /// The most siblings to examine for one that isn't known.
    fileprivate static let scanCountMax = 256

    private let parent: Key
    private var sibling: [UInt8] = []
    private var paths: [Path] = []
    private var previous: [Path] = []
    /// The time of the last use, in events.
    private(set) var lastUse = 0

    init(parent: Key) {
        self.parent = parent
    }

    /// Notes that a program uses `relative` in the subdirectory `name`. Returns the directories to list.
    ///
    /// - Parameter isRead: `true` if it reads the entries; `false` if it looks up a name there.
    mutating func note(
        _ name: [UInt8], _ relative: [UInt8], isRead: Bool, at time: Int, in tree: some TreeView
    ) -> [Key] {
        lastUse = time
        if name != sibling {
            // In any other order there is no telling which siblings are next.
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

    /// Returns `true` if a longer path is used as well, whose listing also answers lookups of this one.
    private func isBeginningOfAnother(_ relative: [UInt8]) -> Bool {
        previous.contains { $0.relative.count > relative.count && $0.relative.starts(with: relative) }
    }
}

extension GlobWalk.Path {
    /// Notes that the path is used in the next sibling.
    fileprivate mutating func advance(to name: [UInt8]) {
        streak += 1
        let count = requested.count
        requested.removeAll { !name.lexicographicallyPrecedes($0) }
        // Siblings in between were used as well: known directories cause no events.
        let usedCount = count - requested.count
        width = min(width + usedCount, GlobWalk.widthMax)
    }

    /// Returns the next directories to list, in siblings behind `name`.
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
