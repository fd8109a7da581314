import ObjectStore
public import SystemSupport

/// Entries of an open directory, from some index on: a view of the block that they are kept in.
public struct DirectorySlice: Sendable {
    private let run: EntryRun?

    /// The entries of a run; none at the end of the directory.
    init(_ run: EntryRun?) {
        self.run = run
    }

    /// How many entries; none only at the end of the directory.
    public var count: Int { run?.count ?? 0 }

    /// The entry at `index`, from 0.
    public subscript(index: Int) -> ListedEntry {
        guard let run, index >= 0, index < run.count else { preconditionFailure("an entry behind the slice") }
        return ListedEntry(block: run.block, index: run.range.lowerBound + index)
    }
}

/// An entry of a directory, where it is kept: reading it costs no memory.
public struct ListedEntry: Sendable {
    let block: EntryBlock
    /// Its index in the block.
    let index: Int

    /// `d_ino` and `st_ino`. A hash of the key that is made each time.
    public var inodeNumber: UInt64 { block.inodeNumber(index) }

    /// Whether it is a directory.
    public var isDirectory: Bool { block.isDirectory(index) }

    /// Calls `body` with the bytes of its name, which are there only during the call.
    public func withName(_ body: (Span<UInt8>) -> Void) {
        block.withName(index) { name in name.withMemoryRebound(to: UInt8.self) { body($0.span) } }
    }

    /// A file's size; 0 for a directory.
    public var byteCount: Int { block.record(index).byteCount }

    /// When a file was last written; means nothing for a directory.
    public var lastModified: Timestamp { block.record(index).lastModified }

    /// The entry by itself.
    public var entry: DirectoryEntry { block.entry(index) }

    /// The key of what it stands for; a directory's ends in "/".
    var key: Key { block.key(index) }
}
