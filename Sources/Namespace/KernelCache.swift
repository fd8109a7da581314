/// A name that the kernel knows: where it found it, and what it found.
public struct KernelName: Hashable, Sendable {
    /// The directory.
    public let parent: InodeID
    /// The name in it, as bytes.
    public let name: [UInt8]
    /// What the kernel was told it is.
    public let child: InodeID

    /// The name `name` in `parent`, which is `child`.
    public init(parent: InodeID, name: [UInt8], child: InodeID) {
        self.parent = parent
        self.name = name
        self.child = child
    }
}

/// What the kernel keeps of a mount's names, and can be asked to let go of.
///
/// Both calls return at once, and may be made under a lock: what they ask for happens later, on a thread of its own. What
/// the kernel lets go of comes back as `Namespace.forget`.
public protocol KernelCache: Sendable {
    /// Has the kernel forget these inodes as far as nobody uses them, because memory is needed. What is open, mapped or
    /// somebody's working directory stays.
    func release(_ names: [KernelName])

    /// Has the kernel ask again about these names, and all names below those that are directories, before it answers by
    /// itself again.
    func distrust(_ names: [KernelName])
}
