/// A name that the kernel knows, and the inode that it stands for.
public struct KernelName: Hashable, Sendable {
    /// The directory.
    public let parent: InodeID
    /// The name in it, as bytes.
    public let name: [UInt8]
    /// The inode that a lookup returned for it.
    public let child: InodeID
    /// `true` if that is a directory.
    public let isDirectory: Bool

    /// The name `name` in `parent`, which stands for `child`.
    public init(parent: InodeID, name: [UInt8], child: InodeID, isDirectory: Bool) {
        self.parent = parent
        self.name = name
        self.child = child
        self.isDirectory = isDirectory
    }
}

/// The kernel's cache of a mount's names.
///
/// Both calls return at once and take effect later, on another thread. `Namespace.forget` receives the lookups that the
/// kernel forgets.
public protocol KernelCache: Sendable {
    /// Asks the kernel to forget unused inodes, because memory is needed. Open and mapped files and working directories
    /// stay.
    ///
    /// - Parameter names: Returns the names of the inodes. Slow, so it is called by the thread that notifies the
    ///   kernel.
    func release(_ names: @escaping @Sendable () -> [KernelName])

    /// Makes the kernel look names up again.
    ///
    /// - Parameters:
    ///   - names: Returns all names that the kernel may know of what has changed. Not called if the kernel can
    ///     invalidate all names of a mount at once, which costs one lookup for each name that is used again.
    ///   - completion: Called on the notifying thread after the kernel was notified; at once if the mount has ended.
    func invalidate(
        _ names: @escaping @Sendable () -> [KernelName], completion: @escaping @Sendable () -> Void)
}
