/// The header of a request (`struct fuse_in_header` in linux/fuse.h).
struct RequestHead {
    static let byteCount = 40

    let opcode: UInt32
    /// The unique id, which the reply repeats.
    let unique: UInt64

    /// `nil` if there are too few bytes for a request.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount else { return nil }
        opcode = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        unique = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    }

    /// `true` if the request has a reply. FUSE_FORGET, FUSE_INTERRUPT and FUSE_BATCH_FORGET have none.
    var expectsReply: Bool { opcode != 2 && opcode != 36 && opcode != 42 }
}

/// The header of a reply (`struct fuse_out_header`).
enum ReplyHead {
    static let byteCount = 16

    /// Returns `true` if `header` belongs to the reply to a request. A notification has a unique id of 0, and the reply
    /// of libfuse to an interrupt has an odd one.
    static func answersRequest(_ header: UnsafeRawBufferPointer) -> Bool {
        guard header.count == byteCount else { return false }
        let unique = header.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return unique != 0 && unique & 1 == 0
    }
}
