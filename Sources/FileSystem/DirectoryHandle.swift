import Namespace

extension FileSystem {
    /// A directory that was opened.
    public struct OpenedDirectory: Sendable {
        /// The handle. It must be closed even if the reply can't be sent.
        public let handle: Handle
        /// `true` if the kernel may cache the entries that are read, and read cached ones (FOPEN_CACHE_DIR).
        public let isCopied: Bool
        /// `true` if the entries that the kernel has cached are still right (FOPEN_KEEP_CACHE).
        public let keepsCopy: Bool
    }
}

/// The directory of a handle.
struct DirectoryHandle: OpenedByHandle {
    let directory: OpenDirectory
    /// The use of the kernel's copy of the entries.
    let copyUse: KernelDirectories.Use
    /// The epoch of names in which the directory was opened.
    let epoch: UInt64

    init(_ directory: OpenDirectory, _ copy: (use: KernelDirectories.Use, epoch: UInt64)) {
        self.directory = directory
        copyUse = copy.use
        epoch = copy.epoch
    }

    /// A directory that was opened in a former process. It belongs to no epoch of this one, so that the kernel doesn't
    /// cache the names that it goes on to read.
    init(restored directory: OpenDirectory, copyUse: KernelDirectories.Use) {
        self.init(directory, (use: copyUse, epoch: 0))
    }

    var words: InlineArray<3, UInt64> {
        [directory.inode.id.rawValue, directory.listingID, copyUse.rawValue]
    }

    /// `true` if reading from the beginning again may switch to a newer listing.
    var mayChangeListing: Bool { copyUse == .none }

    /// Notes a read of entries from `cookie` on.
    func noteRead(from cookie: Int) {
        if cookie == 0, copyUse == .begins { directory.noteKernelCopy(epoch: epoch) }
    }
}
