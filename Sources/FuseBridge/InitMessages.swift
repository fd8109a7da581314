import StateLog

/// FUSE_INIT as the kernel sends it (`struct fuse_in_header` and `fuse_init_in` in linux/fuse.h): what libfuse 3.14 doesn't
/// tell of it.
struct InitRequest {
    /// What its reply is known by.
    let unique: UInt64
    /// What the kernel offers of what we may want.
    let offer: InitAgreement

    private enum Offset {
        static let opcode = 4
        static let unique = 8
        // Behind the header's 40 bytes, and the version.
        static let flags = 40 + 12
        static let moreFlags = 40 + 16
    }

    private static let opcode: UInt32 = 26

    /// `nil` for any other request, and for one that is too short to be any.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Offset.flags + 4,
            bytes.loadUnaligned(fromByteOffset: Offset.opcode, as: UInt32.self) == InitRequest.opcode
        else { return nil }
        unique = bytes.loadUnaligned(fromByteOffset: Offset.unique, as: UInt64.self)
        let flags = bytes.loadUnaligned(fromByteOffset: Offset.flags, as: UInt32.self)
        // A kernel before 5.17 has no second word of flags, and doesn't say that it has.
        if flags & InitAgreement.hasMoreFlags != 0, bytes.count >= Offset.moreFlags + 4 {
            let moreFlags = bytes.loadUnaligned(fromByteOffset: Offset.moreFlags, as: UInt32.self)
            offer = InitAgreement.all.intersection(InitAgreement(rawValue: moreFlags))
        } else {
            offer = []
        }
    }
}

/// The reply to FUSE_INIT (`struct fuse_out_header` and `fuse_init_out`).
enum InitReply {
    private enum Offset {
        static let error = 4
        static let unique = 8
    }

    private enum BodyOffset {
        static let flags = 12
        static let moreFlags = 32
        static let stackDepth = 36
    }

    private static let headerByteCount = 16
    /// How deep file systems may lie on each other when files are lent: ours, on one that lies on no other. More would keep
    /// overlayfs from using the mount (the kernel allows two on top of a disk's).
    private static let stackDepth: UInt32 = 1

    /// Whether `header` is that of the reply to the request `unique`, and says no error.
    static func isSuccess(_ header: UnsafeRawBufferPointer, of unique: UInt64) -> Bool {
        header.count == headerByteCount
            && header.loadUnaligned(fromByteOffset: Offset.error, as: Int32.self) == 0
            && header.loadUnaligned(fromByteOffset: Offset.unique, as: UInt64.self) == unique
    }

    /// Has the reply agree to what is in `agreement`. Returns whether there was room: replies of the protocol before 7.23 end
    /// earlier.
    static func agree(to agreement: InitAgreement, in body: UnsafeMutableRawBufferPointer) -> Bool {
        guard body.count >= BodyOffset.stackDepth + 4 else { return false }
        let flags = body.loadUnaligned(fromByteOffset: BodyOffset.flags, as: UInt32.self)
        let moreFlags = body.loadUnaligned(fromByteOffset: BodyOffset.moreFlags, as: UInt32.self)
        body.storeBytes(of: flags | InitAgreement.hasMoreFlags, toByteOffset: BodyOffset.flags, as: UInt32.self)
        body.storeBytes(of: moreFlags | agreement.rawValue, toByteOffset: BodyOffset.moreFlags, as: UInt32.self)
        if agreement.contains(.passthrough) {
            body.storeBytes(of: stackDepth, toByteOffset: BodyOffset.stackDepth, as: UInt32.self)
        }
        return true
    }
}

extension InitAgreement {
    /// FUSE_INIT_EXT, in the first word: there is a second one.
    static let hasMoreFlags: UInt32 = 1 << 30
}
