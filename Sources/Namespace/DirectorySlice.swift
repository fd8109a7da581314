import ObjectStore
public import SystemSupport

/// Entries of an open directory from some index on: a view of the block that holds them.
public struct DirectorySlice: Sendable {
    private let slice: EntrySlice?

    /// A view of a slice; empty at the end of the directory.
    init(_ slice: EntrySlice?) {
        self.slice = slice
    }

    /// The number of entries; 0 only at the end of the directory.
    public var count: Int { slice?.count ?? 0 }

    /// Returns the entry at `index`, from 0.
    public subscript(index: Int) -> ListedEntry {
        guard let slice, index >= 0, index < slice.count else { preconditionFailure("an entry behind the slice") }
        return ListedEntry(block: slice.block, index: slice.range.lowerBound + index)
    }
}

/// An entry of a directory, as a reference into its block. Reading it allocates nothing.
public struct ListedEntry: Sendable {
    let block: EntryBlock
    /// The index in the block.
    let index: Int

    /// `d_ino` and `st_ino`: a hash of the key, computed at each use.
    public var inodeNumber: UInt64 { block.inodeNumber(index) }

    /// `true` for a directory.
    public var isDirectory: Bool { block.isDirectory(index) }

    /// Calls `body` with the bytes of the name, which are valid only during the call.
    public func withName(_ body: (Span<UInt8>) -> Void) {
        block.withName(index) { name in name.withMemoryRebound(to: UInt8.self) { body($0.span) } }
    }

    /// The size of a file; 0 for a directory.
    public var byteCount: Int { block.record(index).byteCount }

    /// The modification time of a file; meaningless for a directory.
    public var lastModified: Timestamp { block.record(index).lastModified }

    /// The key of the file or directory; a directory's ends in "/".
    var key: Key { block.key(index) }
}
