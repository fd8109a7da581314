import StateLog

/// The fields of a FUSE_INIT request that libfuse 3.14 ignores (`struct fuse_in_header` and `fuse_init_in` in
/// linux/fuse.h).
struct InitRequest {
    /// The unique id, which the reply repeats.
    let unique: UInt64
    /// The flags that the kernel offers, of those that this program knows.
    let offer: InitAgreement

    private enum Offset {
        static let opcode = 4
        static let unique = 8
        // After the 40 bytes of the header, and the version.
        static let flags = 40 + 12
        static let moreFlags = 40 + 16
    }

    private static let opcode: UInt32 = 26

    /// `nil` for any other request, and for one that is too short.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Offset.flags + 4,
            bytes.loadUnaligned(fromByteOffset: Offset.opcode, as: UInt32.self) == InitRequest.opcode
        else { return nil }
        unique = bytes.loadUnaligned(fromByteOffset: Offset.unique, as: UInt64.self)
        let flags = bytes.loadUnaligned(fromByteOffset: Offset.flags, as: UInt32.self)
        // A kernel before 5.17 has no second word of flags, and does not announce one.
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
    /// The maximum depth of stacked file systems below backing files: this one, on a file system that is not stacked. A
    /// higher number would prevent overlayfs from using the mount, since the kernel allows two on top of a disk's.
    private static let stackDepth: UInt32 = 1

    /// Returns `true` if `header` belongs to a successful reply to the request `unique`.
    static func isSuccess(_ header: UnsafeRawBufferPointer, of unique: UInt64) -> Bool {
        header.count == headerByteCount
            && header.loadUnaligned(fromByteOffset: Offset.error, as: Int32.self) == 0
            && header.loadUnaligned(fromByteOffset: Offset.unique, as: UInt64.self) == unique
    }

    /// Adds the flags in `agreement` to the reply. Returns `false` if there is no room: replies of the protocol before
    /// 7.23 are shorter.
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
    /// FUSE_INIT_EXT, in the first word: there is a second word.
    static let hasMoreFlags: UInt32 = 1 << 30
}
