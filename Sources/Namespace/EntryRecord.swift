import ObjectStore
import SystemSupport

/// What a block keeps of one entry beside its name: 40 bytes, the same in memory and on disk, integers in little-endian
/// order.
///
/// | Offset | Bytes | What |
/// |---|---|---|
/// | 0 | 8 | size in bytes |
/// | 8 | 8 | nanoseconds since 1970; *odd*: those of the second |
/// | 16 | 8 | ETag, first half; *odd*: index of the ETag's text, index of the storage class's text, 4 bytes each |
/// | 24 | 8 | ETag, second half; *odd*: seconds since 1970 |
/// | 32 | 4 | where the position ends among the block's names |
/// | 36 | 2 | the ETag's number of parts, or 0 |
/// | 38 | 1 | storage class |
/// | 39 | 1 | form |
///
/// A file is *odd* where one of its fields has no room here: an ETag that is no digest (or none), a storage class that S3 doesn't
/// know, a time outside of the years 1678 to 2261. A directory has nothing but its name.
struct EntryRecord: Equatable {
    static let byteCount = 40

    /// How the fields are to be read.
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

    /// Where a field lies.
    enum Offset {
        static let size = 0
        static let time = 8
        static let tagHigh = 16
        static let tagLow = 24
        static let nameEnd = 32
        static let partCount = 36
        static let storageClass = 38
        static let form = 39
    }

    /// Reads the record at the beginning of `bytes`.
    init(_ bytes: UnsafeRawBufferPointer) {
        size = bytes.integer(at: Offset.size)
        time = bytes.integer(at: Offset.time)
        tagHigh = bytes.integer(at: Offset.tagHigh)
        tagLow = bytes.integer(at: Offset.tagLow)
        nameEnd = bytes.integer(at: Offset.nameEnd)
        partCount = bytes.integer(at: Offset.partCount)
        storageClass = bytes.integer(at: Offset.storageClass)
        form = bytes.integer(at: Offset.form)
    }

    /// A directory whose position ends at `nameEnd`.
    init(directoryEndingAt nameEnd: UInt32) {
        self.nameEnd = nameEnd
        form = Form.directory.rawValue
    }

    /// A file, if all of it has room here.
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

    /// A file whose ETag and storage class are these texts of the block.
    init(_ object: ListedObject, etagText: UInt32, storageClassText: UInt32, endingAt nameEnd: UInt32) {
        size = UInt64(bitPattern: Int64(object.version.byteCount))
        time = UInt64(object.lastModified.nanoseconds)
        tagHigh = Self.tagHigh(etagText: etagText, storageClassText: storageClassText)
        tagLow = UInt64(bitPattern: Int64(object.lastModified.seconds))
        self.nameEnd = nameEnd
        form = Form.oddFile.rawValue
    }

    /// What stands in an odd file's `tagHigh`.
    static func tagHigh(etagText: UInt32, storageClassText: UInt32) -> UInt64 {
        UInt64(etagText) | UInt64(storageClassText) << 32
    }

    /// Index of an odd file's ETag among the block's texts.
    var etagText: Int { Int(tagHigh & 0xffff_ffff) }
    /// Index of an odd file's storage class among the block's texts.
    var storageClassText: Int { Int(tagHigh >> 32) }

    /// The size of a file; 0 for a directory.
    var byteCount: Int { Int(truncatingIfNeeded: size) }

    /// When a file was last written; 1970 for a directory.
    var lastModified: Timestamp {
        form == Form.oddFile.rawValue
            ? Timestamp(seconds: Int(truncatingIfNeeded: tagLow), nanoseconds: Int(truncatingIfNeeded: time))
            : Timestamp(nanosecondsSinceEpoch: Int64(bitPattern: time))
    }

    /// Writes the record behind `bytes`.
    func append(to bytes: inout [UInt8]) {
        bytes.append(integer: size)
        bytes.append(integer: time)
        bytes.append(integer: tagHigh)
        bytes.append(integer: tagLow)
        bytes.append(integer: nameEnd)
        bytes.append(integer: partCount)
        bytes.append(storageClass)
        bytes.append(form)
    }
}

extension UnsafeRawBufferPointer {
    /// The little-endian integer at `offset`.
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
