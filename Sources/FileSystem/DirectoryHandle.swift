import Namespace

extension FileSystem {
    /// A directory that was opened.
    public struct OpenedDirectory: Sendable {
        /// What it is read by. To be closed, also where nobody hears of it.
        public let handle: Handle
        /// Whether the kernel may keep the entries that are read, and read those that it keeps (FOPEN_CACHE_DIR).
        public let isCopied: Bool
        /// Whether what the kernel keeps of the directory is still right (FOPEN_KEEP_CACHE).
        public let keepsCopy: Bool
    }
}

/// What a directory's handle stands for.
struct DirectoryHandle: OpenedByHandle {
    let directory: OpenDirectory
    /// How the kernel's copy of the entries is used.
    let copyUse: KernelDirectories.Use
    /// The epoch of names in which the directory was opened.
    let epoch: UInt64

    init(_ directory: OpenDirectory, _ copy: (use: KernelDirectories.Use, epoch: UInt64)) {
        self.directory = directory
        copyUse = copy.use
        epoch = copy.epoch
    }

    /// A directory that was opened in a process before. No epoch of this one is its, so that the kernel doesn't trust the
    /// names that it goes on to read.
    init(restored directory: OpenDirectory, copyUse: KernelDirectories.Use) {
        self.init(directory, (use: copyUse, epoch: 0))
    }

    var words: InlineArray<3, UInt64> {
        [directory.inode.id.rawValue, directory.listingID, copyUse.rawValue]
    }

    /// Whether reading from the beginning again may be of a newer listing.
    var mayChangeListing: Bool { copyUse == .none }

    /// The kernel asks for entries from `cookie` on.
    func noteRead(from cookie: Int) {
        if cookie == 0, copyUse == .begins { directory.noteKernelCopy(epoch: epoch) }
    }
}
