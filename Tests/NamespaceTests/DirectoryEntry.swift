import ObjectStore

@testable import Namespace

/// A copy of one entry of a directory, to compare with.
struct DirectoryEntry: Hashable, Sendable {
    let name: Name
    let kind: Inode.Kind

    var isDirectory: Bool { kind == .directory }

    /// Returns the key of the entry in the directory of `prefix`; a directory's key ends in "/".
    func key(below prefix: Key) -> Key {
        switch kind {
        case .file(let object): object.version.key
        case .directory: prefix.appending(name.bytes + [Key.delimiter])
        }
    }
}

extension EntryBlock {
    /// Returns a copy of the entry at `index`.
    func entry(_ index: Int) -> DirectoryEntry {
        guard let name = try? Name(withName(index) { Array($0) }) else { fatalError("a block has an invalid name") }
        return DirectoryEntry(name: name, kind: kind(index))
    }
}

extension ListedEntry {
    /// A copy of the entry.
    var entry: DirectoryEntry { block.entry(index) }
}
