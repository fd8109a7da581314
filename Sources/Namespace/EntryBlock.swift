import CXXHash
import ObjectStore
import Synchronization

/// Entries of one directory from one page of a listing. A block never changes.
///
/// The *sort key* of an entry is its key without the directory's prefix: "name" for a file, "name/" for a directory.
/// Entries are in the order of the bytes of their sort keys, which is S3's order of keys. Sort keys are unique, but a
/// file and a directory may have the same name: `KnownEntries` decides which one hides the other.
///
/// A block is one array of bytes, in memory and on disk:
///
/// | Bytes | Content |
/// |---|---|
/// | 8 | XXH3 of everything behind it, seeded by that of the prefix |
/// | 4 | the format, `EntryBlock.format` |
/// | 4, 4, 4 | number of entries, bytes of names, number of texts |
/// | 40 an entry | `EntryRecord` |
/// | 4 a text | the end of the text among the texts |
/// | | names: the sort keys of all entries, joined |
/// | | texts: the ETags and storage classes of odd files |
final class EntryBlock: Sendable {
    /// The directory's prefix: a key that ends in "/", or the empty one for a whole bucket.
    let prefix: Key
    /// The number of entries.
    let count: Int
    /// The bytes that `init(prefix:serialized:account:)` takes, without a copy.
    let serialized: [UInt8]
    /// The id of the block in `EntryLog`; 0 before it was written.
    let logID = Atomic<UInt64>(0)
    /// The edition of the log that last received the block; 0 for none.
    let logEdition = Atomic<UInt64>(0)

    private let account: BlockAccount
    private let textCount: Int
    private let namesStart: Int
    private let textsStart: Int

    /// The offsets of the fields.
    enum Offset {
        static let checksum = 0
        static let format = 8
        static let count = 12
        static let nameByteCount = 16
        static let textCount = 20
        static let records = 24
    }

    /// The format: letters and a version. The log of the state contains blocks as well, so a new version also needs a
    /// new `StateFile.format`.
    static let format: UInt32 = 0x3142_4554  // "TEB1"

    /// The memory of a block besides its bytes: two object headers, its fields, and malloc's overhead.
    private static let overheadByteCount = 160

    /// Creates a block of valid bytes.
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

    /// The memory of the block, in bytes.
    var byteCount: Int { serialized.count + Self.overheadByteCount }

    /// Returns the fields of an entry except its name.
    func record(_ index: Int) -> EntryRecord {
        precondition(index >= 0 && index < count, "a block's entry out of range")
        return serialized.withUnsafeBytes { bytes in
            EntryRecord(UnsafeRawBufferPointer(rebasing: bytes[(Offset.records + index * EntryRecord.byteCount)...]))
        }
    }

    /// Calls `body` with the sort key of an entry.
    func withSortKey<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        precondition(index >= 0 && index < count, "a block's entry out of range")
        return serialized.withUnsafeBytes { bytes in
            let field = Offset.records + index * EntryRecord.byteCount + EntryRecord.nameEndOffset
            let end: UInt32 = bytes.integer(at: field)
            let start: UInt32 = index == 0 ? 0 : bytes.integer(at: field - EntryRecord.byteCount)
            return body(
                UnsafeRawBufferPointer(rebasing: bytes[(namesStart + Int(start))..<(namesStart + Int(end))]))
        }
    }

    /// Calls `body` with the name of an entry: its sort key without a directory's "/".
    func withName<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        let isDirectory = isDirectory(index)
        return withSortKey(index) { body(UnsafeRawBufferPointer(rebasing: isDirectory ? $0.dropLast() : $0[...])) }
    }

    /// Returns the sort key of an entry.
    func sortKey(_ index: Int) -> [UInt8] {
        withSortKey(index) { Array($0) }
    }

    /// Returns `true` if an entry is a directory.
    func isDirectory(_ index: Int) -> Bool {
        record(index).form == EntryRecord.Form.directory.rawValue
    }

    /// Returns the key of an entry; a directory's ends in "/".
    func key(_ index: Int) -> Key {
        withSortKey(index) { prefix.appending($0) }
    }

    /// Returns the file or directory that an entry describes.
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

    /// Calls `body` with a text: an odd file's ETag or storage class.
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

    /// Returns the text of this index.
    func text(_ index: Int) -> String {
        withText(index) { String(decoding: $0, as: UTF8.self) }
    }

    /// Returns the checksum of all bytes behind it.
    static func checksum(of bytes: UnsafeRawBufferPointer, prefix: Key) -> UInt64 {
        let seed = prefix.bytes.withUnsafeBytes { tractfs_xxh3_64($0.baseAddress, $0.count, 0) }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[Offset.format...])
        return tractfs_xxh3_64(rest.baseAddress, rest.count, seed)
    }
}
