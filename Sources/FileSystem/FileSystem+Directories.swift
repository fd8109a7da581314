import Logging
public import Namespace
import ObjectStore
public import struct SystemPackage.Errno

/// Reading directories.
extension FileSystem {
    /// The number of open directories, each counted as often as it was opened.
    public var openDirectoryCount: Int { directories.count }

    /// Opens a directory (FUSE_OPENDIR). Sends no request before entries are read.
    ///
    /// - Parameter mayBeCopied: `true` if the kernel can cache the entries.
    public func openDirectory(_ id: InodeID, mayBeCopied: Bool) throws(Errno) -> OpenedDirectory {
        let directory = namespace.openDirectory(try directory(id))
        let opened = DirectoryHandle(directory, kernelDirectories.open(directory, mayBeCopied: mayBeCopied))
        return OpenedDirectory(
            handle: directories.insert(opened), isCopied: opened.copyUse != .none,
            keepsCopy: opened.copyUse != .begins)
    }

    /// Returns entries of an open directory from `cookie` on: 0, or the cookie of an entry that was read before
    /// (FUSE_READDIR).
    public func readDirectory(
        _ handle: Handle, from cookie: Int, completion: @escaping @Sendable (Result<DirectoryChunk, Errno>) -> Void
    ) {
        guard let opened = directories[handle] else { return completion(.failure(.badFileDescriptor)) }
        guard cookie >= 0 else { return completion(.failure(.invalidArgument)) }
        let directory = opened.directory
        logger.trace("readdir", metadata: ["prefix": "\(directory.inode.key)", "cookie": "\(cookie)"])
        opened.noteRead(from: cookie)
        let isRestart = cookie == 0 && opened.mayChangeListing
        directory.entries(from: max(cookie - DirectoryChunk.dotCount, 0), isRestart: isRestart) { [self] result in
            if isRestart { directories.noteChange(of: handle) }
            completion(
                result.map { DirectoryChunk($0, from: cookie, of: opened, in: self) }
                    .mapError { errno(for: $0, wanting: directory.inode.key) })
        }
    }

    /// Returns the time for which the kernel may cache the names of an open directory; `nil` for no limit.
    func nameTimeout(in opened: DirectoryHandle) -> Duration? {
        // After an invalidation of all names, the kernel must not cache names that were listed before.
        kernelDirectories.isOver(opened.epoch) ? .zero : opened.directory.expiry.remaining(at: .now)
    }

    /// Closes an open directory (FUSE_RELEASEDIR).
    public func closeDirectory(_ handle: Handle) {
        guard let opened = directories.remove(handle), opened.copyUse != .none else { return }
        kernelDirectories.close(opened.directory.inode.id)
    }
}
