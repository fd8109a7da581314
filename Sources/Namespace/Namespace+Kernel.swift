public import ObjectStore

extension Namespace {
    /// The directories that a call affects.
    public enum Extent: Hashable, Sendable {
        /// One directory without its subdirectories.
        case directory
        /// One directory and everything below it.
        case tree
    }

    /// Makes the kernel look up the names in the directory of `prefix` again. It may do so at any time, so the new
    /// answers must be ready before this call.
    ///
    /// - Parameter completion: Called after the kernel was notified.
    public func invalidateKernelNames(_ prefix: Key, _ extent: Extent, completion: @escaping @Sendable () -> Void) {
        guard let kernel = kernelCache else { return completion() }
        kernel.invalidate({ [inodes] in inodes.names(in: prefix, extent) }, completion: completion)
    }
}

extension InodeTable {
    /// Returns the names in the directory of `prefix` that the kernel knows.
    fileprivate func names(in prefix: Key, _ extent: Namespace.Extent) -> [KernelName] {
        inodes { $0.hasPrefix(prefix) && $0 != prefix }.compactMap { inode in
            let components = inode.key.endsInDelimiter ? inode.key.bytes.dropLast() : inode.key.bytes[...]
            let start = components.lastIndex(of: Key.delimiter).map { $0 + 1 } ?? 0
            if extent == .directory, start != prefix.bytes.count { return nil }
            // The kernel knows no names in a directory that it has forgotten.
            guard let parent = directory(Key(components[..<start])) else { return nil }
            return KernelName(
                parent: parent, name: Array(components[start...]), child: inode.id,
                isDirectory: inode.kind == .directory)
        }
    }
}
