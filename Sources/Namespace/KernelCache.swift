/// A name that the kernel knows: where it found it, and what it found.
public struct KernelName: Hashable, Sendable {
    /// The directory.
    public let parent: InodeID
    /// The name in it, as bytes.
    public let name: [UInt8]
    /// What the kernel was told it is.
    public let child: InodeID
    /// Whether that is a directory.
    public let isDirectory: Bool

    /// The name `name` in `parent`, which is `child`.
    public init(parent: InodeID, name: [UInt8], child: InodeID, isDirectory: Bool) {
        self.parent = parent
        self.name = name
        self.child = child
        self.isDirectory = isDirectory
    }
}

/// What the kernel keeps of a mount's names, and can be asked to let go of.
///
/// Both calls return at once: what they ask for happens later, on a thread of its own. What the kernel lets go of comes
/// back as `Namespace.forget`.
public protocol KernelCache: Sendable {
    /// Has the kernel forget these inodes as far as nobody uses them, because memory is needed. What is open, mapped or
    /// somebody's working directory stays.
    ///
    /// - Parameter names: Tells which. Takes a while, so it is called by the thread that tells the kernel.
    func release(_ names: @escaping @Sendable () -> [KernelName])

    /// Has the kernel ask again about names before it answers by itself again.
    ///
    /// - Parameters:
    ///   - names: Tells which: all that the kernel may know of what has changed. Not called where the kernel can distrust
    ///     all names of a mount at once, which costs it one question for each that is used again.
    ///   - completion: Called when the kernel has heard it, from the thread that told it; at once where the mount has
    ///     ended.
    func invalidate(
        _ names: @escaping @Sendable () -> [KernelName], completion: @escaping @Sendable () -> Void)
}
