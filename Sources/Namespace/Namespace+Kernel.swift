public import ObjectStore

extension Namespace {
    /// Which directories are meant.
    public enum Extent: Hashable, Sendable {
        /// One, without those in it.
        case directory
        /// One, and all below it.
        case tree
    }

    /// Has the kernel ask again about what is in the directory of `prefix`. What is to be told then must be settled before:
    /// it asks when it likes.
    ///
    /// - Parameter completion: Called when the kernel has heard it.
    public func invalidateKernelNames(_ prefix: Key, _ extent: Extent, completion: @escaping @Sendable () -> Void) {
        guard let kernel = kernelCache else { return completion() }
        kernel.invalidate({ [inodes] in inodes.names(in: prefix, extent) }, completion: completion)
    }
}

extension InodeTable {
    /// The names in the directory of `prefix` that the kernel knows.
    fileprivate func names(in prefix: Key, _ extent: Namespace.Extent) -> [KernelName] {
        inodes { $0.hasPrefix(prefix) && $0 != prefix }.compactMap { inode in
            let components = inode.key.endsInDelimiter ? inode.key.bytes.dropLast() : inode.key.bytes[...]
            let start = components.lastIndex(of: Key.delimiter).map { $0 + 1 } ?? 0
            if extent == .directory, start != prefix.bytes.count { return nil }
            // A name whose directory the kernel has forgotten is forgotten as well.
            guard let parent = directory(Key(components[..<start])) else { return nil }
            return KernelName(
                parent: parent, name: Array(components[start...]), child: inode.id,
                isDirectory: inode.kind == .directory)
        }
    }
}
