import CFuse
import FileSystem

extension tractfs_open_reply {
    /// What open files are like (FOPEN_ in linux/fuse.h).
    private enum Flag {
        /// Reads come to us whatever else holds, and leave nothing in the page cache.
        static let directIO: UInt32 = 1 << 0
        /// What the kernel has of the inode's pages stays.
        static let keepCache: UInt32 = 1 << 1
        /// No FUSE_FLUSH at close(2).
        static let noFlush: UInt32 = 1 << 5
        /// Reads go to a file that the kernel was lent.
        static let passthrough: UInt32 = 1 << 7
    }

    /// The answer to an open: `handle` is what the kernel calls the file by from now on.
    ///
    /// - Parameters:
    ///   - backing: The file that the kernel is to read, if it is.
    ///   - isDirect: Whether the application bypasses the page cache (O_DIRECT).
    init(_ handle: Handle, backing: BackingID?, isDirect: Bool) {
        self.init()
        self.handle = handle.rawValue
        guard let backing else {
            // An inode is one version of an object, so what the kernel has of its pages stays right for good.
            flags = Flag.keepCache | Flag.noFlush
            return
        }
        // The kernel refuses FOPEN_KEEP_CACHE here: it keeps no pages of ours for a lent file.
        flags = Flag.passthrough | Flag.noFlush
        // The lent file's disk takes O_DIRECT reads at multiples of its blocks only. We take any, so whether an object is
        // in the cache makes no difference to who reads it like that.
        if isDirect { flags |= Flag.directIO }
        backing_id = backing.rawValue
    }
}
