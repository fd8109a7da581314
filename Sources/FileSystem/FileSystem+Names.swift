public import Namespace
import ObjectStore
public import struct SystemPackage.Errno

/// Names and attributes.
extension FileSystem {
    /// The answer to a lookup.
    public struct Lookup: Sendable {
        /// The inode, counted as a lookup by the kernel; `nil` if there is no such name, which the kernel may cache as
        /// a negative entry.
        public let entry: Entry?
        /// The time for which the kernel may cache the answer; `nil` for no limit.
        public let nameTimeout: Duration?
    }

    /// An inode with its attributes. Neither ever changes: an overwritten object is another inode.
    public struct Entry: Sendable {
        /// The kernel's id of the inode.
        public let id: InodeID
        /// The attributes for `stat`.
        public let attributes: FileAttributes
    }

    /// Looks up a name in a directory (FUSE_LOOKUP). If the reply can't be sent, `forget` must take the lookup back.
    public func lookup(
        _ name: some Collection<UInt8>, in parent: InodeID,
        completion: @escaping @Sendable (Result<Lookup, Errno>) -> Void
    ) {
        do throws(Errno) {
            let directory = try directory(parent)
            let name = try validated(name)
            namespace.lookup(name, in: directory) { [self] result in
                completion(
                    result.map { found in
                        Lookup(entry: found.inode.map(entry), nameTimeout: found.expiry.remaining(at: .now))
                    }.mapError { errno(for: $0, wanting: directory.key.appending(name.bytes)) })
            }
        } catch {
            completion(.failure(error))
        }
    }

    /// Subtracts `count` lookups of an inode that the kernel has forgotten (FUSE_FORGET).
    public func forget(_ id: InodeID, count: UInt64) {
        namespace.forget(id, count: count)
    }

    /// Returns the attributes of an inode (FUSE_GETATTR).
    public func attributes(of id: InodeID) throws(Errno) -> FileAttributes {
        try entry(inode(id)).attributes
    }

    /// The capacity that `statfs` returns.
    public var capacity: FileSystemCapacity { FileSystemCapacity(fitsIn32Bits: options.hasShortInodeNumbers) }

    /// Returns the inode number that users see for one of 62 bits.
    func shownNumber(_ number: UInt64) -> UInt64 {
        shortNumbers?.short(for: number) ?? number
    }

    func entry(_ inode: Inode) -> Entry {
        let attributes = FileAttributes(inode, number: shownNumber(inode.number), ownership: options.ownership)
        return Entry(id: inode.id, attributes: attributes)
    }

    /// Returns an entry of a listing with the kernel's id `id`; `number` has 62 bits.
    func entry(_ listed: ListedEntry, id: InodeID, number: UInt64) -> Entry {
        Entry(id: id, attributes: FileAttributes(listed, number: shownNumber(number), ownership: options.ownership))
    }
}
