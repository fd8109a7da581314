import ObjectStore
import Synchronization

/// The inodes that the kernel knows, each with its lookup count: how often the kernel was told of it and has not yet
/// forgotten it (libfuse, `fuse_lowlevel_ops.forget`). An inode stays as long as that isn't zero.
final class InodeTable: Sendable {
    private struct Row {
        let inode: Inode
        var lookupCount: UInt64
    }

    private let rootKey: Key
    private let rows: Mutex<[InodeID: Row]>

    /// A table that holds the root, of this key, which the kernel never forgets.
    init(rootKey: Key) {
        self.rootKey = rootKey
        let root = Inode(id: .root, key: rootKey, kind: .directory)
        rows = Mutex([.root: Row(inode: root, lookupCount: 1)])
    }

    /// The inode that the kernel calls `id`.
    func inode(_ id: InodeID) -> Inode? {
        rows.withLock { $0[id]?.inode }
    }

    /// The inodes of keys that `isWanted` says yes to.
    func inodes(where isWanted: (Key) -> Bool) -> [Inode] {
        rows.withLock { $0.values.map(\.inode).filter { isWanted($0.key) } }
    }

    /// What the kernel calls the directory of `prefix` by, unless another key has the same hash.
    func directoryID(of prefix: Key) -> InodeID {
        prefix == rootKey ? .root : InodeID(rawValue: Inode.preferredID(of: prefix, .directory))
    }

    /// How many inodes the kernel knows.
    var count: Int {
        rows.withLock { $0.count }
    }

    /// The inode of this key and kind, counted as one more lookup: the reply that tells the kernel of it must be sent.
    func remember(_ key: Key, _ kind: Inode.Kind) -> Inode {
        let preferred = Inode.preferredID(of: key, kind)
        return rows.withLock { rows in
            var raw = preferred
            // Another inode of the same hash: the next free number. As rare as it is, it needs an end: the table can't
            // hold 2^64 rows.
            while let row = rows[InodeID(rawValue: raw)], !row.inode.isSame(as: key, kind) {
                raw = raw == .max ? InodeID.firstFree : raw + 1
            }
            let id = InodeID(rawValue: raw)
            let inode = rows[id]?.inode ?? Inode(id: id, key: key, kind: kind)
            rows[id, default: Row(inode: inode, lookupCount: 0)].lookupCount += 1
            return inode
        }
    }

    /// The kernel forgets `count` lookups of an inode. The root stays.
    func forget(_ id: InodeID, count: UInt64) {
        if id == .root { return }
        rows.withLock { rows in
            guard let row = rows[id] else { return }
            if row.lookupCount > count {
                rows[id]?.lookupCount -= count
            } else {
                rows[id] = nil
            }
        }
    }
}

extension Inode {
    /// Whether the inode is that of this key, written at this time.
    fileprivate func isSame(as key: Key, _ kind: Kind) -> Bool {
        switch (self.kind, kind) {
        case (.directory, .directory): self.key == key
        case (.file(let mine), .file(let other)): mine == other
        case (.directory, .file), (.file, .directory): false
        }
    }
}
