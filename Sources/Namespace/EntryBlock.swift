import CXXHash
import ObjectStore
import Synchronization

/// Entries of one directory that a listing has told together. A block never changes.
///
/// An entry's *sortKey* is its key behind the directory's prefix: "name" for a file, "name/" for a directory. Entries
/// stand in the order of their sortKeys' bytes, which is S3's order of keys; two entries never have the same sortKey, but
/// a file and a directory may have the same name: who takes a listing's entries together decides what hides what.
///
/// All of a block is one array of bytes, which is also how it is kept on disk:
///
/// | Bytes | What |
/// |---|---|
/// | 8 | XXH3 of all that follows, seeded by that of the prefix |
/// | 4 | the format, `EntryBlock.format` |
/// | 4, 4, 4 | number of entries, bytes of names, number of texts |
/// | 40 an entry | `EntryRecord` |
/// | 4 a text | where the text ends among the texts |
/// | | names: the sortKeys of all entries, one behind the other |
/// | | texts: the ETags and storage classes of odd files |
final class EntryBlock: Sendable {
    /// The directory's prefix: a key that ends in "/", or nothing for a whole bucket.
    let prefix: Key
    /// How many entries.
    let count: Int
    /// The block as bytes that `init(prefix:serialized:account:)` takes. Costs nothing.
    let serialized: [UInt8]
    /// What `EntryLog` calls the block; 0 before it has written it.
    let logID = Atomic<UInt64>(0)
    /// The edition of the log that it was written to last; 0 for none.
    let logEdition = Atomic<UInt64>(0)

    private let account: BlockAccount
    private let textCount: Int
    private let namesStart: Int
    private let textsStart: Int

    /// Where things begin.
    enum Offset {
        static let checksum = 0
        static let format = 8
        static let count = 12
        static let nameByteCount = 16
        static let textCount = 20
        static let records = 24
    }

    /// What a block begins with behind its checksum: letters and a version. Blocks are in the log of the state as well, so that a new
    /// version makes a new `StateFile.format`.
    static let format: UInt32 = 0x3142_4554  // "TEB1"

    /// What a block takes beside its bytes: two objects' headers, its fields, and what malloc adds.
    private static let overheadByteCount = 160

    /// A block of bytes that are in order.
    init(prefix: Key, checked bytes: [UInt8], account: BlockAccount) {
        let header = bytes.withUnsafeBytes { bytes -> (UInt32, UInt32, UInt32) in
            (
                bytes.integer(at: Offset.count), bytes.integer(at: Offset.nameByteCount),
                bytes.integer(at: Offset.textCount)
            )
        }
        self.prefix = prefix
        serialized = bytes
        count = Int(header.0)
        textCount = Int(header.2)
        namesStart = Offset.records + count * EntryRecord.byteCount + textCount * MemoryLayout<UInt32>.size
        textsStart = namesStart + Int(header.1)
        self.account = account
        account.add(byteCount)
    }

    deinit {
        account.subtract(byteCount)
    }

    /// All the memory that the block takes, in bytes.
    var byteCount: Int { serialized.count + Self.overheadByteCount }

    /// What the block keeps of an entry beside its name.
    func record(_ index: Int) -> EntryRecord {
        precondition(index >= 0 && index < count, "a block's entry out of range")
        return serialized.withUnsafeBytes { bytes in
            EntryRecord(UnsafeRawBufferPointer(rebasing: bytes[(Offset.records + index * EntryRecord.byteCount)...]))
        }
    }

    /// Calls `body` with an entry's sortKey.
    func withSortKey<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        precondition(index >= 0 && index < count, "a block's entry out of range")
        return serialized.withUnsafeBytes { bytes in
            let field = Offset.records + index * EntryRecord.byteCount + EntryRecord.Offset.nameEnd
            let end: UInt32 = bytes.integer(at: field)
            let start: UInt32 = index == 0 ? 0 : bytes.integer(at: field - EntryRecord.byteCount)
            return body(
                UnsafeRawBufferPointer(rebasing: bytes[(namesStart + Int(start))..<(namesStart + Int(end))]))
        }
    }

    /// Calls `body` with an entry's name: the sortKey without a directory's "/".
    func withName<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let isDirectory = isDirectory(index)
        return withSortKey(index) { body(UnsafeRawBufferPointer(rebasing: isDirectory ? $0.dropLast() : $0[...])) }
    }

    /// An entry's sortKey.
    func sortKey(_ index: Int) -> [UInt8] {
        withSortKey(index) { Array($0) }
    }

    /// Whether an entry is a directory.
    func isDirectory(_ index: Int) -> Bool {
        record(index).form == EntryRecord.Form.directory.rawValue
    }

    /// The key of what an entry stands for; a directory's ends in "/".
    func key(_ index: Int) -> Key {
        withSortKey(index) { prefix.appending($0) }
    }

    /// What an entry stands for.
    func kind(_ index: Int) -> Inode.Kind {
        let record = record(index)
        switch EntryRecord.Form(rawValue: record.form) {
        case .file:
            let digest = ETagDigest(high: record.tagHigh, low: record.tagLow, partCount: record.partCount)
            let storageClass = StorageClassCode(rawValue: record.storageClass) ?? .standard
            return .file(object(index, record, etag: ETag(digest), storageClass: storageClass.text))
        case .oddFile:
            let etag = ETag(stored: text(record.etagText))
            return .file(object(index, record, etag: etag, storageClass: text(record.storageClassText)))
        case .directory, nil:
            return .directory
        }
    }

    private func object(_ index: Int, _ record: EntryRecord, etag: ETag, storageClass: String) -> ListedObject {
        ListedObject(
            version: ObjectVersion(key: key(index), etag: etag, byteCount: record.byteCount),
            lastModified: record.lastModified, storageClass: storageClass)
    }

    /// Calls `body` with the text of this index, an odd file's ETag or storage class.
    func withText<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        precondition(index >= 0 && index < textCount, "a block's text out of range")
        return serialized.withUnsafeBytes { bytes in
            let field = Offset.records + count * EntryRecord.byteCount + index * MemoryLayout<UInt32>.size
            let end: UInt32 = bytes.integer(at: field)
            let start: UInt32 = index == 0 ? 0 : bytes.integer(at: field - MemoryLayout<UInt32>.size)
            return body(
                UnsafeRawBufferPointer(rebasing: bytes[(textsStart + Int(start))..<(textsStart + Int(end))]))
        }
    }

    /// The text of this index.
    func text(_ index: Int) -> String {
        withText(index) { String(decoding: $0, as: UTF8.self) }
    }

    /// What is written before the bytes that follow it.
    static func checksum(of bytes: UnsafeRawBufferPointer, prefix: Key) -> UInt64 {
        let seed = prefix.bytes.withUnsafeBytes { tractfs_xxh3_64($0.baseAddress, $0.count, 0) }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[Offset.format...])
        return tractfs_xxh3_64(rest.baseAddress, rest.count, seed)
    }
}
