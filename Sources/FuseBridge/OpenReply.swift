import CFuse
import FileSystem

extension tractfs_open_reply {
    /// The flags of open files (FOPEN_ in linux/fuse.h).
    private enum Flag {
        /// Reads always go through this process, and bypass the page cache.
        static let directIO: UInt32 = 1 << 0
        /// The kernel keeps the cached pages of the inode.
        static let keepCache: UInt32 = 1 << 1
        /// No FUSE_FLUSH at close(2).
        static let noFlush: UInt32 = 1 << 5
        /// Reads go to a backing file.
        static let passthrough: UInt32 = 1 << 7
    }

    /// Creates the reply to an open.
    ///
    /// - Parameters:
    ///   - backing: The backing file; `nil` if reads go through this process.
    ///   - isDirect: `true` if the application bypasses the page cache (O_DIRECT).
    init(_ handle: Handle, backing: BackingID?, isDirect: Bool) {
        self.init()
        self.handle = handle.rawValue
        guard let backing else {
            // An inode is one version of an object, so its cached pages are always valid.
            flags = Flag.keepCache | Flag.noFlush
            return
        }
        // The kernel refuses FOPEN_KEEP_CACHE for a backing file, for which it caches no pages of this mount.
        flags = Flag.passthrough | Flag.noFlush
        // The disk of the backing file accepts O_DIRECT reads only at multiples of its block size. This process accepts
        // all, so that O_DIRECT works in the same way whether or not an object is cached.
        if isDirect { flags |= Flag.directIO }
        backing_id = backing.rawValue
    }
}
