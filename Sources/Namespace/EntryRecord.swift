import ObjectStore
import SystemSupport

/// The fields of one entry in a block, except its name: 40 bytes, the same here, in a block's memory and on disk.
/// Integers are little-endian.
///
/// | Offset | Bytes | Content |
/// |---|---|---|
/// | 0 | 8 | size in bytes |
/// | 8 | 8 | nanoseconds since 1970; *odd*: those of the second |
/// | 16 | 8 | ETag, first half; *odd*: index of the ETag's text, index of the storage class's text, 4 bytes each |
/// | 24 | 8 | ETag, second half; *odd*: seconds since 1970 |
/// | 32 | 4 | end of the sort key among the block's names |
/// | 36 | 2 | number of parts in the ETag, or 0 |
/// | 38 | 1 | storage class |
/// | 39 | 1 | form |
///
/// A file is *odd* if one of its fields doesn't fit: an ETag that is no digest (or none), a storage class that S3
/// doesn't define, a time outside of the years 1678 to 2261. A directory has nothing but its name.
struct EntryRecord: Equatable {
    static let byteCount = 40

    /// The meaning of the fields.
    enum Form: UInt8 {
        case directory, file, oddFile
    }

    var size: UInt64 = 0
    var time: UInt64 = 0
    var tagHigh: UInt64 = 0
    var tagLow: UInt64 = 0
    var nameEnd: UInt32 = 0
    var partCount: UInt16 = 0
    var storageClass: UInt8 = 0
    var form: UInt8 = 0

    /// The offset of `nameEnd`.
    static let nameEndOffset = 32

    #if _endian(big)
        #error("blocks on the disk have the layout of this struct on little-endian machines")
    #endif

    /// Reads the record at the beginning of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer) {
        self = bytes.loadUnaligned(as: EntryRecord.self)
    }

    /// A directory whose sort key ends at `nameEnd`.
    init(directoryEndingAt nameEnd: UInt32) {
        self.nameEnd = nameEnd
        form = Form.directory.rawValue
    }

    /// A file; `nil` if one of its fields doesn't fit.
    init?(_ object: ListedObject, endingAt nameEnd: UInt32) {
        guard let digest = object.version.etag.digest, let storageClass = StorageClassCode(object.storageClass),
            let time = object.lastModified.nanosecondsSinceEpoch
        else { return nil }
        size = UInt64(bitPattern: Int64(object.version.byteCount))
        self.time = UInt64(bitPattern: time)
        tagHigh = digest.high
        tagLow = digest.low
        self.nameEnd = nameEnd
        partCount = digest.partCount
        self.storageClass = storageClass.rawValue
        form = Form.file.rawValue
    }

    /// An odd file with these texts as ETag and storage class.
    init(_ object: ListedObject, etagText: UInt32, storageClassText: UInt32, endingAt nameEnd: UInt32) {
        size = UInt64(bitPattern: Int64(object.version.byteCount))
        time = UInt64(object.lastModified.nanoseconds)
        tagHigh = Self.tagHigh(etagText: etagText, storageClassText: storageClassText)
        tagLow = UInt64(bitPattern: Int64(object.lastModified.seconds))
        self.nameEnd = nameEnd
        form = Form.oddFile.rawValue
    }

    /// Returns the `tagHigh` of an odd file.
    static func tagHigh(etagText: UInt32, storageClassText: UInt32) -> UInt64 {
        UInt64(etagText) | UInt64(storageClassText) << 32
    }

    /// The index of an odd file's ETag among the block's texts.
    var etagText: Int { Int(tagHigh & 0xffff_ffff) }
    /// The index of an odd file's storage class among the block's texts.
    var storageClassText: Int { Int(tagHigh >> 32) }

    /// The size of a file; 0 for a directory.
    var byteCount: Int { Int(truncatingIfNeeded: size) }

    /// The modification time of a file; 1970 for a directory.
    var lastModified: Timestamp {
        form == Form.oddFile.rawValue
            ? Timestamp(seconds: Int(truncatingIfNeeded: tagLow), nanoseconds: Int(truncatingIfNeeded: time))
            : Timestamp(nanosecondsSinceEpoch: Int64(bitPattern: time))
    }

    /// Appends the record to `bytes`.
    func append(to bytes: inout [UInt8]) {
        Swift.withUnsafeBytes(of: self) { bytes.append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    /// Returns the little-endian integer at `offset`.
    func integer<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Integer {
        Integer(littleEndian: loadUnaligned(fromByteOffset: offset, as: Integer.self))
    }
}

extension [UInt8] {
    /// Appends an integer in little-endian order.
    mutating func append(integer: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: integer.littleEndian) { append(contentsOf: $0) }
    }
}
