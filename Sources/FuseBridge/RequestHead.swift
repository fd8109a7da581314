/// What stands before every request (`struct fuse_in_header` in linux/fuse.h).
struct RequestHead {
    static let byteCount = 40

    let opcode: UInt32
    /// What its reply is known by.
    let unique: UInt64

    /// `nil` for what is too short to be a request.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= Self.byteCount else { return nil }
        opcode = bytes.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
        unique = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    }

    /// Whether somebody waits for a reply: nobody does after FUSE_FORGET, FUSE_INTERRUPT and FUSE_BATCH_FORGET.
    var isOwedAnswer: Bool { opcode != 2 && opcode != 36 && opcode != 42 }
}

/// What stands before every reply (`struct fuse_out_header`).
enum ReplyHead {
    static let byteCount = 16

    /// Whether `header` is that of the answer to a request that is owed one. Not of a notification, which has no number, nor of
    /// what libfuse may say to an interrupt, whose number is odd.
    static func isOwedAnswer(_ header: UnsafeRawBufferPointer) -> Bool {
        guard header.count == byteCount else { return false }
        let unique = header.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return unique != 0 && unique & 1 == 0
    }
}
