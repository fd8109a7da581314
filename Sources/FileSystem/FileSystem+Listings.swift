public import Namespace
public import struct SystemPackage.Errno

/// Listings of directories, for `tractfs refresh` and `tractfs warm`.
extension FileSystem {
    /// Discards listings of a directory: in memory, in the archive, and in the kernel.
    ///
    /// - Parameter completion: Called once. All requests that follow are answered with what the store then has.
    public func refresh(
        _ id: InodeID, _ extent: Namespace.Extent, completion: @escaping @Sendable (Errno?) -> Void
    ) {
        do throws(Errno) {
            let prefix = try directory(id).key
            namespace.invalidate(prefix, extent)
            // Before the kernel is notified: open handles go on reading the old listings.
            kernelDirectories.invalidateAll()
            namespace.invalidateKernelNames(prefix, extent) { completion(nil) }
        } catch {
            completion(error)
        }
    }

    /// Begins to list everything below a directory.
    public func listTree(_ id: InodeID) throws(Errno) -> TreeListerProgress {
        namespace.listTree(below: try directory(id).key)
    }
}
