/// What stands before a record's bytes: 16 bytes, integers in little-endian order.
///
/// | Offset | Bytes | What |
/// |---|---|---|
/// | 0 | 4 | how many bytes follow the header, without those that fill it up to a multiple of 8 |
/// | 4 | 1 | `RecordKind` |
/// | 5 | 1 | 0 for a record that holds, 1 for one that says that there is none any more |
/// | 6 | 2 | zeros |
/// | 8 | 8 | the id |
struct RecordHeader {
    static let byteCount = 16
    /// More than any block of entries takes: 1,000 keys of 1,024 bytes, and what is kept of each.
    static let contentByteCountMax = 64 << 20

    let contentByteCount: Int
    let kind: RecordKind
    let isRemoval: Bool
    let id: UInt64

    /// The bytes of the record, its header included.
    var recordByteCount: Int {
        Self.byteCount + (contentByteCount + 7) & ~7
    }

    init(_ kind: RecordKind, id: UInt64, contentByteCount: Int, isRemoval: Bool = false) {
        self.contentByteCount = contentByteCount
        self.kind = kind
        self.isRemoval = isRemoval
        self.id = id
    }

    /// The header that `words` are; `nil` where they are none that this version writes.
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

    /// The header as it is written.
    var words: (UInt64, UInt64) {
        let first = UInt64(contentByteCount) | UInt64(kind.rawValue) << 32 | (isRemoval ? 1 << 40 : 0)
        return (first.littleEndian, id.littleEndian)
    }
}
