import Namespace

/// A notification to the kernel (`enum fuse_notify_code` in linux/fuse.h), as bytes for /dev/fuse.
enum KernelNotification: Hashable {
    /// Forget these inodes if they are not in use (FUSE_NOTIFY_PRUNE, protocol 7.45, Linux 6.18).
    case prune([InodeID])
    /// Look all names up again before they are used (FUSE_NOTIFY_INC_EPOCH, protocol 7.44, Linux 6.16).
    case incrementEpoch
    /// Look a name up again before it is used (FUSE_NOTIFY_INVAL_ENTRY with FUSE_EXPIRE_ONLY, protocol 7.38, Linux
    /// 6.2).
    case expire(parent: InodeID, name: [UInt8])
    /// Drop a name from the tree (FUSE_NOTIFY_INVAL_ENTRY).
    case drop(parent: InodeID, name: [UInt8])
    /// Resend the requests that were read and not answered (FUSE_NOTIFY_RESEND, Linux 6.9).
    case resend

    /// The maximum number of inodes in a notification, which is the batch size of the kernel.
    static let pruneCountMax = 512

    private static let headerByteCount = 16

    private var code: UInt32 {
        switch self {
        case .expire, .drop: 3
        case .resend: 7
        case .incrementEpoch: 8
        case .prune: 9
        }
    }

    /// The message: `struct fuse_out_header` with the code in the place of the error and a unique id of 0, and the
    /// body.
    var bytes: [UInt8] {
        let body = body
        return Self.words(UInt32(Self.headerByteCount + body.count), code, 0, 0) + body
    }

    private var body: [UInt8] {
        switch self {
        case .prune(let inodes):
            // struct fuse_notify_prune_out: a count and padding.
            Self.words(UInt32(inodes.count), 0, 0, 0) + inodes.map(\.rawValue).withUnsafeBytes { Array($0) }
        case .incrementEpoch, .resend: []
        case .expire(let parent, let name): Self.entry(parent, name, flags: 1)
        case .drop(let parent, let name): Self.entry(parent, name, flags: 0)
        }
    }

    /// Returns `struct fuse_notify_inval_entry_out`, and the name with a NUL.
    private static func entry(_ parent: InodeID, _ name: [UInt8], flags: UInt32) -> [UInt8] {
        words(parent) + words(UInt32(name.count), flags) + name + [0]
    }

    private static func words(_ words: UInt32...) -> [UInt8] {
        words.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
    }

    private static func words(_ id: InodeID) -> [UInt8] {
        words(UInt32(truncatingIfNeeded: id.rawValue), UInt32(truncatingIfNeeded: id.rawValue >> 32))
    }
}
