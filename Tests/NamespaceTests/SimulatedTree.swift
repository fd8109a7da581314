import ObjectStore

@testable import Namespace

/// A tree of keys and its known part: a plain model of the cached listings.
struct SimulatedTree: TreeView {
    /// A directory of the tree.
    struct Folder {
        var subdirectories: [[UInt8]] = []
        var fileCount = 0
    }

    /// All keys, in order.
    let keys: [Key]
    let folders: [Key: Folder]
    /// The ranges that flat pages have covered, in order and merged.
    private(set) var known: [KeyInterval] = []
    /// Directories that were listed by themselves.
    private(set) var listed: Set<Key> = []

    init(keys: [Key]) {
        let keys = keys.sorted()
        var folders: [Key: Folder] = [.empty: Folder()]
        for key in keys {
            var parent = Key.empty
            for directory in key.directories(from: .empty).dropFirst() {
                if folders[directory] == nil {
                    folders[directory] = Folder()
                    folders[parent]?.subdirectories.append(Array(directory.child(of: parent) ?? []))
                }
                parent = directory
            }
            folders[parent]?.fileCount += 1
        }
        self.keys = keys
        self.folders = folders
    }

    /// Returns the flat page for a request.
    func page(_ request: ListRequest) -> (keys: [Key], interval: KeyInterval) {
        let lower = PageBeginning.of(request)
        let first = index(of: lower)
        let end = request.prefix.endOfPrefix.map { index(of: $0) } ?? keys.count
        let last = min(first + request.limit, end)
        let upper = last == end ? request.prefix.endOfPrefix : keys[last - 1].next
        return (Array(keys[first..<last]), KeyInterval(lower: lower, upper: upper))
    }

    mutating func absorb(_ interval: KeyInterval) {
        var merged = interval
        let touching = known.filter { $0.touches(interval) }
        for other in touching {
            let upper = merged.upper.flatMap { mine in other.upper.map { max(mine, $0) } }
            merged = KeyInterval(lower: min(merged.lower, other.lower), upper: upper)
        }
        known.removeAll { $0.touches(interval) }
        known.insert(merged, at: known.firstIndex { $0.lower > merged.lower } ?? known.count)
    }

    mutating func absorbListing(of directory: Key) {
        listed.insert(directory)
    }

    mutating func forgetAll() {
        known = []
        listed = []
    }

    /// Returns the first unknown key that a reader of a directory needs; `nil` if all its entries are known.
    func missing(in directory: Key) -> Key? {
        if listed.contains(directory) { return nil }
        let end = directory.endOfPrefix
        var position = directory
        while true {
            if let interval = interval(containing: position) {
                guard let upper = interval.upper, end.map({ upper < $0 }) ?? true else { return nil }
                position = upper
            } else if position != directory, let child = position.child(of: directory),
                let end = directory.directory(child).endOfPrefix, position > directory.directory(child)
            {
                // A key of the child is known, so its other keys don't matter.
                position = end
            } else {
                return position
            }
        }
    }

    func knownEnd(from key: Key, below root: Key, visiting limit: Int) -> Key? {
        precondition(key.hasPrefix(root), "\(key) is not below \(root)")
        let end = root.endOfPrefix
        var position = key
        for _ in 0..<limit {
            if let interval = interval(containing: position) {
                guard let upper = interval.upper else { return nil }
                position = upper
            } else if listed.contains(position.folderPrefix), let folder = folders[position.folderPrefix] {
                let directory = position.folderPrefix
                let next = folder.subdirectories.first { directory.directory($0) >= position }
                if let next {
                    if directory.directory(next) == position { return position }
                    position = directory.directory(next)
                } else {
                    guard let upper = directory.endOfPrefix else { return nil }
                    position = upper
                }
            } else {
                return position
            }
            if let end, position >= end { return nil }
        }
        return position
    }

    func subdirectories(of prefix: Key, from position: [UInt8], limit: Int) -> [[UInt8]] {
        let all = folders[prefix]?.subdirectories ?? []
        let isListed = listed.contains(prefix)
        var found: [[UInt8]] = []
        let start = prefix.appending(position)
        var index = all.partition { prefix.directory(all[$0]) >= start }
        while found.count < limit, index < all.count {
            let directory = prefix.directory(all[index])
            if isListed || self.isListed(directory) || (missing(in: prefix).map { $0 > directory } ?? true) {
                found.append(all[index])
            }
            index += 1
        }
        return found
    }

    func isListed(_ prefix: Key) -> Bool {
        listed.contains(prefix) || interval(containing: prefix) != nil
    }

    func isComplete(_ prefix: Key) -> Bool {
        missing(in: prefix) == nil
    }

    private func interval(containing key: Key) -> KeyInterval? {
        let index = known.partition { known[$0].lower > key }
        return index > 0 && known[index - 1].contains(key) ? known[index - 1] : nil
    }

    private func index(of key: Key) -> Int {
        keys.partition { keys[$0] >= key }
    }
}

private enum PageBeginning {
    static func of(_ request: ListRequest) -> Key {
        request.startAfter.map { max($0.next, request.prefix) } ?? request.prefix
    }
}

extension KeyInterval {
    /// Returns `true` if the two overlap or are adjacent.
    fileprivate func touches(_ other: KeyInterval) -> Bool {
        (upper.map { other.lower <= $0 } ?? true) && (other.upper.map { lower <= $0 } ?? true)
    }
}

extension Array {
    /// Returns the first index for which `belongs` is true, if it is true for all indices behind that.
    fileprivate func partition(by belongs: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if belongs(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
