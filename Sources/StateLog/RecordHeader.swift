/// The header before a record's bytes: 16 bytes, integers in little-endian order.
///
/// | Offset | Bytes | Content |
/// |---|---|---|
/// | 0 | 4 | the number of bytes after the header, without padding to a multiple of 8 |
/// | 4 | 1 | `RecordKind` |
/// | 5 | 1 | 0 for a set record, 1 for a removal |
/// | 6 | 2 | zeros |
/// | 8 | 8 | the id |
struct RecordHeader {
    static let byteCount = 16
    /// The limit of the content. No block of entries exceeds it: it has 1,000 keys of 1,024 bytes, and their metadata.
    static let contentByteCountMax = 64 << 20

    let contentByteCount: Int
    let kind: RecordKind
    let isRemoval: Bool
    let id: UInt64

    /// The number of bytes of the record, including its header.
    var recordByteCount: Int {
        Self.byteCount + (contentByteCount + 7) & ~7
    }

    init(_ kind: RecordKind, id: UInt64, contentByteCount: Int, isRemoval: Bool = false) {
        self.contentByteCount = contentByteCount
        self.kind = kind
        self.isRemoval = isRemoval
        self.id = id
    }

    /// Decodes a header from `words`; `nil` if this version does not write such a header.
    init?(words: (UInt64, UInt64)) {
        let first = UInt64(littleEndian: words.0)
        guard let kind = RecordKind(rawValue: UInt8(truncatingIfNeeded: first >> 32)),
            first >> 40 <= 1, first & 0xffff_ffff <= Self.contentByteCountMax
        else { return nil }
        contentByteCount = Int(first & 0xffff_ffff)
        self.kind = kind
        isRemoval = first >> 40 == 1
        id = UInt64(littleEndian: words.1)
        if isRemoval && contentByteCount != 0 { return nil }
    }

    /// The encoded header.
    var words: (UInt64, UInt64) {
        let first = UInt64(contentByteCount) | UInt64(kind.rawValue) << 32 | (isRemoval ? 1 << 40 : 0)
        return (first.littleEndian, id.littleEndian)
    }
}
