import Namespace
import ObjectStore

/// Entries of an open directory, from some place on; "." and ".." are the first two of every directory.
///
/// A view of what the namespace keeps: no memory is needed for an entry, because a listing may have a million of them.
public struct DirectoryChunk: Sendable {
    /// How many entries every directory has before its own. Cookies count them, the namespace's indexes don't.
    static let dotCount = 2

    private let slice: DirectorySlice
    /// The cookie that the chunk begins at.
    private let start: Int
    private let opened: DirectoryHandle
    private let fileSystem: FileSystem

    init(_ slice: DirectorySlice, from cookie: Int, of opened: DirectoryHandle, in fileSystem: FileSystem) {
        self.slice = slice
        start = cookie
        self.opened = opened
        self.fileSystem = fileSystem
    }

    /// How many of the chunk's entries are "." and "..".
    private var chunkDotCount: Int { max(DirectoryChunk.dotCount - start, 0) }

    /// How many entries; none at the end of the directory.
    public var count: Int { chunkDotCount + slice.count }

    /// An entry without attributes, as `readdir` wants it.
    public struct Listed {
        /// `d_ino`.
        public let inodeNumber: UInt64
        /// The number of 62 bits that it stands for.
        fileprivate let number: UInt64
        /// What `d_type` says.
        public let isDirectory: Bool
        /// Where reading goes on behind this entry (`d_off`).
        public let cookie: Int
        /// `nil` for "." and "..".
        fileprivate let entry: ListedEntry?

        /// Calls `body` with the bytes of its name, which are there only during the call.
        public func withName(_ body: (Span<UInt8>) -> Void) {
            if let entry { return entry.withName(body) }
            // The cookies behind "." and ".." are 1 and 2, which is how long these names are, too.
            body([UInt8](repeating: UInt8(ascii: "."), count: cookie).span)
        }
    }

    /// The entry at `index` of the chunk, from 0.
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

    /// An entry with its attributes, counted as a lookup by the kernel (FUSE_READDIRPLUS); `nil` for "." and "..", which
    /// aren't.
    public func lookup(_ listed: Listed) -> FileSystem.Entry? {
        guard let entry = listed.entry else { return nil }
        let id = directory.recordLookup(entry, number: listed.number)
        return fileSystem.entry(entry, id: id, number: listed.number)
    }

    /// How long the kernel may keep the names; `nil` for good.
    public var nameTimeout: Duration? { fileSystem.nameTimeout(in: opened) }

    private var directory: OpenDirectory { opened.directory }
}
