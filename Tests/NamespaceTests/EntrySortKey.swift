import ObjectStore

@testable import Namespace

/// The sort key of a name, relative to a directory's prefix: "name" for a file, "name/" for a directory. Its order
/// isn't that of names: "a" < "a.txt" < "a/".
struct EntrySortKey: Comparable {
    let name: Name
    let isDirectory: Bool

    init(_ name: Name, isDirectory: Bool) {
        self.name = name
        self.isDirectory = isDirectory
    }

    init(_ entry: DirectoryEntry) {
        self.init(entry.name, isDirectory: entry.isDirectory)
    }

    static func < (left: EntrySortKey, right: EntrySortKey) -> Bool {
        let leftCount = left.name.bytes.count
        let rightCount = right.name.bytes.count
        let common = min(leftCount, rightCount)
        for index in 0..<common where left.name.bytes[index] != right.name.bytes[index] {
            return left.name.bytes[index] < right.name.bytes[index]
        }
        if leftCount == rightCount { return !left.isDirectory && right.isDirectory }
        // One name begins the other: the next byte is compared with the shorter one's "/", or with its end.
        return leftCount < rightCount
            ? !left.isDirectory || Key.delimiter < right.name.bytes[common]
            : right.isDirectory && left.name.bytes[common] < Key.delimiter
    }
}
