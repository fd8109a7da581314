import ObjectStore
import struct SystemPackage.Errno
import SystemSupport

/// The header of an index file. A checksum of 8 bytes follows for every block of the object, 0 for an absent block.
/// Numbers are in native byte order: a cache isn't moved to another kind of machine, and would be found invalid there.
///
/// | offset | bytes | |
/// |---|---|---|
/// | 0 | 8 | magic |
/// | 8 | 8 | version of the format, and the size of a block |
/// | 16 | 8 | size of the object |
/// | 24 | 24 | lengths of source, key and ETag |
/// | 48 | 8 | checksum of all above and of the text |
/// | 56 | 8 | last use, nanoseconds since 1970 |
/// | 64 | 4 | the block from which on holes are punched next |
/// | 68 | 4 | 1 for an object that isn't evicted, else 0 (`ObjectFiles.isPinned`) |
/// | 72 | 72 | seal (`SealRecord`), zeros if there is none |
/// | 144 | | text: source, key, ETag; zeros up to a multiple of 8 |
struct IndexHeader {
    static let lastUseOffset = 56
    static let punchOffset = 64
    static let pinnedOffset = 68
    static let sealOffset = 72
    private static let textOffset = 144
    private static let checksumOffset = 48
    private static let magic: UInt64 = 0x3163_6673_7463_6172
    /// The format number. Raise it with every change of the format, or of the input of a checksum.
    private static let format: UInt64 = 1 << 32 | UInt64(Block.byteCount)
    /// Keys have at most 1,024 bytes, buckets 63; an endpoint or an ETag that exceeds the rest isn't real.
    private static let textByteCountLimit = 8 << 10

    /// The identity of the blocks.
    let identity: CacheIdentity
    /// The time of the last use, in nanoseconds since 1970.
    let lastUse: UInt64
    /// The block at which punching holes continues.
    let punchIndex: Int
    /// `true` if the object is pinned.
    let isPinned: Bool

    /// Returns the length of the header of `identity`'s index, which is the offset of its checksums.
    static func byteCount(for identity: CacheIdentity) -> Int {
        let text = identity.source.utf8.count + identity.version.key.bytes.count + identity.version.etag.text.utf8.count
        return textOffset + (text + 7) / 8 * 8
    }

    /// Returns the length of the whole index of `identity`.
    static func indexByteCount(for identity: CacheIdentity) -> Int {
        byteCount(for: identity) + 8 * identity.blockCount
    }

    /// Returns the header of a new index.
    static func bytes(for identity: CacheIdentity, lastUse: UInt64) -> [UInt8] {
        let (key, etag) = (identity.version.key.bytes, Array(identity.version.etag.text.utf8))
        let source = Array(identity.source.utf8)
        let fixed = [
            magic, format, UInt64(identity.version.byteCount), UInt64(source.count), UInt64(key.count),
            UInt64(etag.count),
        ]
        let proven = fixed.flatMap(IndexHeader.bytes) + source + key + etag
        var bytes = fixed.flatMap(IndexHeader.bytes) + IndexHeader.bytes(identity.checksum(proven))
        bytes += IndexHeader.bytes(lastUse)
        bytes += [UInt8](repeating: 0, count: textOffset - bytes.count) + source + key + etag
        return bytes + [UInt8](repeating: 0, count: byteCount(for: identity) - bytes.count)
    }

    /// Reads the header of `index`; `nil` if it is invalid or has been changed.
    init?(of index: LocalFile) throws(Errno) {
        let fixed = try index.read(IndexHeader.textOffset, at: 0)
        guard fixed.count == IndexHeader.textOffset else { return nil }
        let words = IndexHeader.words(fixed)
        // The lengths first: they are added below, and must not overflow.
        guard words[0] == IndexHeader.magic, words[1] == IndexHeader.format,
            words[3...5].allSatisfy({ $0 <= IndexHeader.textByteCountLimit }),
            words[2] <= ObjectVersion.byteCountLimit
        else { return nil }
        let byteCount = Int(words[2])
        let (sourceCount, keyCount, etagCount) = (Int(words[3]), Int(words[4]), Int(words[5]))
        let text = try index.read(sourceCount + keyCount + etagCount, at: IndexHeader.textOffset)
        guard text.count == sourceCount + keyCount + etagCount else { return nil }
        let version = ObjectVersion(
            key: Key(text[sourceCount..<sourceCount + keyCount]),
            etag: ETag(stored: String(decoding: text[(sourceCount + keyCount)...], as: UTF8.self)), byteCount: byteCount
        )
        identity = CacheIdentity(source: String(decoding: text[..<sourceCount], as: UTF8.self), version: version)
        lastUse = words[IndexHeader.lastUseOffset / 8]
        punchIndex = Int(truncatingIfNeeded: words[IndexHeader.punchOffset / 8] & 0xffff_ffff)
        isPinned = IndexHeader.isPinned(fixed[IndexHeader.pinnedOffset..<IndexHeader.sealOffset])
        let proven = Array(fixed[..<IndexHeader.checksumOffset]) + text
        guard words[IndexHeader.checksumOffset / 8] == identity.checksum(proven) else { return nil }
    }

    /// The current time, in the form of `lastUse`. Processes that share a cache agree on the wall clock.
    static var now: UInt64 { UInt64(Timestamp.now.nanosecondsSinceEpoch ?? 0) }

    /// Returns the bytes for `pinnedOffset`.
    static func pinnedBytes(_ isPinned: Bool) -> [UInt32] { [isPinned ? 1 : 0] }

    /// Returns `true` if these bytes mark a pinned object. Any other value means not pinned.
    static func isPinned(_ bytes: some Collection<UInt8>) -> Bool {
        Array(bytes) == withUnsafeBytes(of: UInt32(1), Array.init)
    }

    /// Returns a number as its bytes in the file.
    static func bytes(_ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number, Array.init)
    }

    /// Returns the numbers encoded in `bytes`; an incomplete rest is ignored.
    static func words(_ bytes: [UInt8]) -> [UInt64] {
        bytes.withUnsafeBytes { buffer in
            (0..<buffer.count / 8).map { buffer.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
        }
    }
}
