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
