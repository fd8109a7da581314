import ObjectStore

/// One entry of a directory, as its listing tells it.
public struct DirectoryEntry: Hashable, Sendable {
    /// The entry's name.
    public let name: Name
    /// What it stands for.
    public let kind: Inode.Kind

    /// Whether the entry is a directory.
    public var isDirectory: Bool { kind == .directory }

    /// The key of what it stands for, in the directory of this prefix: a directory's ends in "/".
    func key(below prefix: Key) -> Key {
        switch kind {
        case .file(let object): object.version.key
        case .directory: prefix.appending(name.bytes + [Key.delimiter])
        }
    }
}

/// Where a name stands in S3's order of keys, relative to a directory's prefix: "name" for a file, "name/" for a
/// directory. That is not the order of names: "a" < "a.txt" < "a/".
struct EntryPosition: Comparable {
    let name: Name
    let isDirectory: Bool

    init(_ name: Name, isDirectory: Bool) {
        self.name = name
        self.isDirectory = isDirectory
    }

    /// What the key has behind the prefix.
    var bytes: [UInt8] { isDirectory ? name.bytes + [Key.delimiter] : name.bytes }

    init(_ entry: DirectoryEntry) {
        self.init(entry.name, isDirectory: entry.isDirectory)
    }

    static func < (left: EntryPosition, right: EntryPosition) -> Bool {
        let leftCount = left.name.bytes.count
        let rightCount = right.name.bytes.count
        let common = min(leftCount, rightCount)
        for index in 0..<common where left.name.bytes[index] != right.name.bytes[index] {
            return left.name.bytes[index] < right.name.bytes[index]
        }
        if leftCount == rightCount { return !left.isDirectory && right.isDirectory }
        // One name begins the other: what follows it there is compared with its own "/", or with its end.
        return leftCount < rightCount
            ? !left.isDirectory || Key.delimiter < right.name.bytes[common]
            : right.isDirectory && left.name.bytes[common] < Key.delimiter
    }

    /// Whether a directory named like the file `file` may still come behind this position in a listing: everything
    /// between "a" and "a/" begins with "a" and goes on with a byte below "/".
    func mayPrecedeDirectory(named file: Name) -> Bool {
        guard name.bytes.starts(with: file.bytes) else { return false }
        return name.bytes.count == file.bytes.count || name.bytes[file.bytes.count] < Key.delimiter
    }
}
