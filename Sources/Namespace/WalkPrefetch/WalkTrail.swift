import ObjectStore

/// The way of somebody who may be walking a tree: the directories from the walk's root to the one read last.
///
/// A depth-first walk, in whatever order it takes the entries of a directory, goes down into a child of the directory that it
/// read last, or, where that has none that is unread, across to an unread child of the nearest directory above that has one.
/// Only such steps count. Steps down alone don't make a walk: that is how somebody looks for something, path by path.
struct WalkTrail {
    /// What a read means for the trail.
    enum Step: Equatable {
        /// The directory was read before; whoever reads it is behind.
        case again
        /// As a walk goes on.
        case good
        /// Into a child of a directory of the trail, past others that a walk would have read.
        case past
    }

    fileprivate struct Level {
        let prefix: Key
        /// The name of the child that was read last.
        var lastChild: [UInt8] = []
        var readCount = 0
        /// Hashes of the names of the children that were read, the latest ones if they are many: who confuses two of them
        /// takes one step of a walk for one of somebody who is behind.
        fileprivate var readChildren: Set<Int> = []

        init(prefix: Key) {
            self.prefix = prefix
        }
    }

    /// How many good steps make a walk.
    static let stepCountMin = 2
    /// How many steps past others a walk survives; what it did well before counts no longer then.
    private static let creditMax = 6
    private static let pastCost = 3

    private var levels: [Level]
    private(set) var credit = 0
    private var hasTurned = false
    /// Whether the steps so far are those of a walk.
    private(set) var isRecognised = false

    init(from root: Key) {
        levels = [Level(prefix: root)]
    }

    /// The topmost directory that was read.
    var root: Key { levels[0].prefix }

    /// The directory that was read last.
    var current: Key { levels[levels.count - 1].prefix }

    /// What reading `directory` is for this trail; `nil` where it has nothing to do with it.
    ///
    /// - Parameter wasKnown: Whether its entries were known. Then a recognised walk that has been there needn't go back:
    ///   somebody else follows it.
    func step(to directory: Key, wasKnown: Bool, in tree: some TreeView) -> Step? {
        if directory == current { return .again }
        if wasKnown && isRecognised && hasPassed(directory) { return .again }
        guard let depth = depth(ofParent: directory) else { return nil }
        let isDone = levels[(depth + 1)...].allSatisfy { $0.isDone(in: tree) }
        return isDone ? .good : .past
    }

    /// Goes to `directory`, which `step` says something of.
    mutating func take(_ step: Step, to directory: Key) {
        guard step != .again, let depth = depth(ofParent: directory) else { return }
        if depth < levels.count - 1 { hasTurned = true }
        levels.removeSubrange((depth + 1)...)
        levels[depth].noteRead(Array(directory.child(of: levels[depth].prefix) ?? []))
        levels.append(Level(prefix: directory))
        credit = step == .good ? min(credit + 1, WalkTrail.creditMax) : credit - WalkTrail.pastCost
        if credit >= WalkTrail.stepCountMin && hasTurned { isRecognised = true }
        if credit < 0 {
            credit = 0
            isRecognised = false
        }
    }

    /// How near to `directory` this trail is: of two trails, the one that has read the closest sibling before it.
    func nearest(before directory: Key) -> Key {
        guard let depth = depth(ofParent: directory) else { return .empty }
        let sibling = levels[depth].prefix.directory(levels[depth].lastChild)
        return sibling <= directory ? sibling : levels[depth].prefix
    }

    /// Whether `directory` is in the trail, or in what was read of one of its directories.
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

    /// The child `name` is read now.
    fileprivate mutating func noteRead(_ name: [UInt8]) {
        lastChild = name
        readCount += 1
        if readChildren.count >= Self.readChildrenCountMax { readChildren = [] }
        readChildren.insert(name.hashValue)
    }

    fileprivate func hasRead(_ name: [UInt8]) -> Bool {
        readChildren.contains(name.hashValue)
    }

    /// Whether all its known subdirectories were read.
    fileprivate func isDone(in tree: some TreeView) -> Bool {
        // The usual case first: nothing behind the last one, and nothing before it that wasn't read.
        tree.subdirectories(of: prefix, from: [], limit: readCount + 1).count <= readCount
    }
}
