import Namespace
import ObjectStore

/// Entries of an open directory, from some cookie on. "." and ".." are the first two of every directory.
///
/// It is a view of the namespace's blocks, without memory for each entry: a listing may have a million of them.
public struct DirectoryChunk: Sendable {
    /// The number of entries before a directory's own. Cookies count them, the namespace's indices don't.
    static let dotCount = 2

    private let slice: DirectorySlice
    /// The cookie at which the chunk begins.
    private let start: Int
    private let opened: DirectoryHandle
    private let fileSystem: FileSystem

    init(_ slice: DirectorySlice, from cookie: Int, of opened: DirectoryHandle, in fileSystem: FileSystem) {
        self.slice = slice
        start = cookie
        self.opened = opened
        self.fileSystem = fileSystem
    }

    /// The number of the chunk's entries that are "." and "..".
    private var chunkDotCount: Int { max(DirectoryChunk.dotCount - start, 0) }

    /// The number of entries; 0 at the end of the directory.
    public var count: Int { chunkDotCount + slice.count }

    /// An entry without attributes, for `readdir`.
    public struct Listed {
        /// `d_ino`.
        public let inodeNumber: UInt64
        /// The inode number of 62 bits.
        fileprivate let number: UInt64
        /// `true` if `d_type` is that of a directory.
        public let isDirectory: Bool
        /// The position behind this entry, at which reading continues (`d_off`).
        public let cookie: Int
        /// The namespace's entry; `nil` for "." and "..".
        fileprivate let entry: ListedEntry?

        /// Calls `body` with the bytes of the name, which are valid only during the call.
        public func withName(_ body: (Span<UInt8>) -> Void) {
            if let entry { return entry.withName(body) }
            // The cookies behind "." and ".." are 1 and 2, like the lengths of these names.
            body([UInt8](repeating: UInt8(ascii: "."), count: cookie).span)
        }
    }

    /// Returns the entry at `index` of the chunk, from 0.
    public subscript(index: Int) -> Listed {
        let cookie = start + index
        if index >= chunkDotCount {
            let entry = slice[index - chunkDotCount]
            return listed(entry.inodeNumber, isDirectory: entry.isDirectory, cookie: cookie + 1, entry)
        }
        let isParent = cookie == 1
        let number = isParent ? directory.parentInodeNumber : directory.inode.number
        return listed(number, isDirectory: true, cookie: cookie + 1, nil)
    }

    private func listed(_ number: UInt64, isDirectory: Bool, cookie: Int, _ entry: ListedEntry?) -> Listed {
        Listed(
            inodeNumber: fileSystem.shownNumber(number), number: number, isDirectory: isDirectory, cookie: cookie,
            entry: entry)
    }

    /// Returns an entry with its attributes, counted as a lookup by the kernel (FUSE_READDIRPLUS); `nil` for "." and
    /// "..", which the kernel doesn't count.
    public func lookup(_ listed: Listed) -> FileSystem.Entry? {
        guard let entry = listed.entry else { return nil }
        let id = directory.recordLookup(entry, number: listed.number)
        return fileSystem.entry(entry, id: id, number: listed.number)
    }

    /// The time for which the kernel may cache the names; `nil` for no limit.
    public var nameTimeout: Duration? { fileSystem.nameTimeout(in: opened) }

    private var directory: OpenDirectory { opened.directory }
}
