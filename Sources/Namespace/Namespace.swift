public import Logging
public import ObjectStore

/// The keys below a prefix of a bucket as a tree of directories and files.
///
/// Two kinds of state, deliberately apart. What is *known* of the bucket is a table of directories, each with a listing
/// that is shared by all who look, proven page by page, and expires as a whole. What the *kernel knows* is a table of
/// inodes, each an unchanging version of an object, with the kernel's lookup count. Listings come and go under a bound and
/// a time to live; inodes go only when the kernel forgets them. Every question, be it a lookup, a negative one, attributes
/// or a directory's entries, is answered from the same listings through the same classification of keys.
///
/// Completions are called at once where the answer is known, and from a thread of the store's otherwise.
public final class Namespace: Sendable {
    private let directories: DirectoryTable
    private let inodes: InodeTable
    private let account: BlockAccount

    /// A namespace of the keys that begin with `root`.
    ///
    /// - Parameters:
    ///   - store: Where listings come from.
    ///   - root: A key that ends in "/", or the empty one for the whole bucket.
    ///   - timeToLive: How long listings count as true.
    ///   - requestTimeout: How long one page may take, retries included.
    ///   - memoryByteLimit: How much memory listings may take, about.
    ///   - logger: Where hidden keys are told of.
    public init(
        store: any ObjectStore, root: Key, timeToLive: TimeToLive, requestTimeout: Duration,
        memoryByteLimit: Int, logger: Logger
    ) {
        let source = ListingSource(store: store, requestTimeout: requestTimeout, logger: logger)
        directories = DirectoryTable(
            source: source, timeToLive: timeToLive, byteLimit: memoryByteLimit)
        inodes = InodeTable(rootKey: root)
        account = source.account
    }

    /// The inode that the kernel calls `id`; `nil` for one that it has forgotten.
    public func inode(_ id: InodeID) -> Inode? {
        inodes.inode(id)
    }

    /// How many inodes the kernel knows, the root included.
    public var inodeCount: Int {
        inodes.count
    }

    /// The kernel forgets `count` lookups of an inode.
    public func forget(_ id: InodeID, count: UInt64) {
        inodes.forget(id, count: count)
    }

    /// The answer to a lookup.
    public struct Lookup: Sendable {
        /// What the name is, counted as a lookup by the kernel; `nil` where there is nothing of that name.
        public let inode: Inode?
        /// Until when that holds.
        public let expiry: Expiry
    }

    /// Looks a name up in a directory.
    public func lookup(
        _ name: Name, in directory: Inode, completion: @escaping @Sendable (Result<Lookup, StoreError>) -> Void
    ) {
        directories.directory(directory.key).lookup(name) { [self] result in
            completion(
                result.map { entry, expiry in
                    Lookup(inode: entry.map { remember($0, in: directory) }, expiry: expiry)
                })
        }
    }

    /// The inode of an entry of a directory, counted as one more lookup.
    private func remember(_ entry: DirectoryEntry, in directory: Inode) -> Inode {
        var builder = EntryBlock.Builder(prefix: directory.key, reserving: 1, account: account)
        switch entry.kind {
        case .file(let object): builder.append(file: entry.name.bytes, object: object)
        case .directory: builder.append(directory: entry.name.bytes)
        }
        let id = inodes.remember(0, of: builder.finish())
        return Inode(id: id, key: entry.key(below: directory.key), kind: entry.kind)
    }

    /// What is known of the directory of this prefix; `nil` where that is nothing.
    func knownDirectory(_ prefix: Key) -> Directory? {
        directories.known(prefix)
    }

    /// Opens a directory for reading its entries.
    public func openDirectory(_ directory: Inode) -> OpenDirectory {
        OpenDirectory(inode: directory, directory: directories.directory(directory.key), inodes: inodes)
    }
}
