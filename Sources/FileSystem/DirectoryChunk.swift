import Namespace

/// Entries of an open directory, from some place on; "." and ".." are the first two of every directory.
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

    /// How many entries; none at the end of the directory.
    public var count: Int { max(DirectoryChunk.dotCount - start, 0) + slice.count }

    /// An entry without attributes, as `readdir` wants it.
    public struct Listed {
        /// Its name's bytes.
        public let name: [UInt8]
        /// `d_ino`.
        public let inodeNumber: UInt64
        /// What `d_type` says.
        public let isDirectory: Bool
        /// Where reading goes on behind this entry (`d_off`).
        public let cookie: Int
    }

    /// The entry at `index` of the chunk, from 0.
    public subscript(index: Int) -> Listed {
        let cookie = start + index
        if let entry = entry(index) {
            return Listed(
                name: entry.name.bytes, inodeNumber: directory.inodeNumber(of: entry), isDirectory: entry.isDirectory,
                cookie: cookie + 1)
        }
        let isParent = cookie == 1
        return Listed(
            name: Array(repeating: UInt8(ascii: "."), count: isParent ? 2 : 1),
            inodeNumber: isParent ? directory.parentInodeNumber : directory.inode.number, isDirectory: true,
            cookie: cookie + 1)
    }

    /// The entry at `index` with its attributes, counted as a lookup by the kernel (FUSE_READDIRPLUS); `nil` for "." and
    /// "..", which aren't.
    public func lookup(_ index: Int) -> FileSystem.Entry? {
        entry(index).map { fileSystem.entry(directory.remember($0)) }
    }

    /// How long the kernel may keep the names; `nil` for good.
    public var nameTimeout: Duration? { fileSystem.nameTimeout(in: opened) }

    private var directory: OpenDirectory { opened.directory }

    private func entry(_ index: Int) -> DirectoryEntry? {
        let offset = index - max(DirectoryChunk.dotCount - start, 0)
        return offset < 0 ? nil : slice[offset]
    }
}
