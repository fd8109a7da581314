import ObjectStore

/// The path of a possible walk: the directories from the walk's root to the one that was read last.
///
/// A depth-first walk, in whatever order it takes the entries of a directory, goes down into a child of the directory
/// that it read last or, if that has no unread child, across to an unread child of the nearest directory above that has
/// one. Only such steps count. Steps down alone don't make a walk: a program that opens a path does the same.
struct WalkTrail {
    /// The relation of a read to the trail.
    enum Step: Equatable {
        /// The directory was read before: another program follows.
        case again
        /// The next step of a depth-first walk.
        case good
        /// A child of a directory of the trail, past others that a walk would have read.
        case past
    }

    fileprivate struct Level {
        let prefix: Key
        /// The name of the child that was read last.
        var lastChild: [UInt8] = []
        var readCount = 0
        /// Hashes of the names of the children that were read; only recent ones if there are many. A collision mistakes
        /// one step of a walk for a program that follows.
        fileprivate var readChildren: Set<Int> = []

        init(prefix: Key) {
            self.prefix = prefix
        }
    }

    /// The number of good steps that make a walk.
    static let stepCountMin = 2
    /// The most credit of earlier good steps: a walk survives only a few steps past others.
    private static let creditMax = 6
    private static let pastCost = 3

    private var levels: [Level]
    private(set) var credit = 0
    private var hasTurned = false
    /// `true` if the steps so far are those of a walk.
    private(set) var isRecognized = false

    init(from root: Key) {
        levels = [Level(prefix: root)]
    }

    /// The topmost directory that was read.
    var root: Key { levels[0].prefix }

    /// The directory that was read last.
    var current: Key { levels[levels.count - 1].prefix }

    /// Returns the relation of reading `directory` to this trail; `nil` if there is none.
    ///
    /// - Parameter wasKnown: `true` if its entries were known. A recognized walk that was there has no reason to go
    ///   back: another program follows.
    func step(to directory: Key, wasKnown: Bool, in tree: some TreeView) -> Step? {
        if directory == current { return .again }
        if wasKnown && isRecognized && hasPassed(directory) { return .again }
        guard let depth = depth(ofParent: directory) else { return nil }
        let isDone = levels[(depth + 1)...].allSatisfy { $0.isDone(in: tree) }
        return isDone ? .good : .past
    }

    /// Moves to `directory` by a step.
    mutating func take(_ step: Step, to directory: Key) {
        guard step != .again, let depth = depth(ofParent: directory) else { return }
        if depth < levels.count - 1 { hasTurned = true }
        levels.removeSubrange((depth + 1)...)
        levels[depth].noteRead(Array(directory.child(of: levels[depth].prefix) ?? []))
        levels.append(Level(prefix: directory))
        credit = step == .good ? min(credit + 1, WalkTrail.creditMax) : credit - WalkTrail.pastCost
        if credit >= WalkTrail.stepCountMin && hasTurned { isRecognized = true }
        if credit < 0 {
            credit = 0
            isRecognized = false
        }
    }

    /// Returns the closest directory that this trail has read before `directory`, to compare trails by.
    func nearest(before directory: Key) -> Key {
        guard let depth = depth(ofParent: directory) else { return .empty }
        let sibling = levels[depth].prefix.directory(levels[depth].lastChild)
        return sibling <= directory ? sibling : levels[depth].prefix
    }

    /// Returns `true` if `directory` is in the trail, or in a directory that was read.
    private func hasPassed(_ directory: Key) -> Bool {
        guard let level = levels.last(where: { directory.hasPrefix($0.prefix) }) else { return false }
        return level.prefix == directory || level.hasRead(Array(directory.child(of: level.prefix) ?? []))
    }

    private func depth(ofParent directory: Key) -> Int? {
        guard let parent = directory.parentPrefix else { return nil }
        return levels.lastIndex { $0.prefix == parent }
    }
}

extension WalkTrail.Level {
    private static let readChildrenCountMax = 1 << 16

    /// Notes that the child `name` is read.
    fileprivate mutating func noteRead(_ name: [UInt8]) {
        lastChild = name
        readCount += 1
        if readChildren.count >= Self.readChildrenCountMax { readChildren = [] }
        readChildren.insert(name.hashValue)
    }

    fileprivate func hasRead(_ name: [UInt8]) -> Bool {
        readChildren.contains(name.hashValue)
    }

    /// Returns `true` if all its known subdirectories were read.
    fileprivate func isDone(in tree: some TreeView) -> Bool {
        // The usual case first: nothing behind the last one, and nothing unread before it.
        tree.subdirectories(of: prefix, from: [], limit: readCount + 1).count <= readCount
    }
}
