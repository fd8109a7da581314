import ObjectStore
import SystemSupport

/// Why bytes are no block.
struct DamagedBlock: Error, Equatable {
    /// One sentence for a log.
    let reason: String
}

extension EntryBlock {
    /// The block that `serialized` was once the bytes of, in a block of the same prefix.
    ///
    /// Everything is checked, so that bytes from a damaged disk, or from somebody else, are an error here and never a crash
    /// or an impossible name later.
    convenience init(prefix: Key, serialized bytes: [UInt8], account: BlockAccount) throws(DamagedBlock) {
        try bytes.withUnsafeBytes { bytes in
            Result { () throws(DamagedBlock) in try SerializedEntries(bytes, prefix: prefix).check() }
        }.get()
        self.init(prefix: prefix, checked: bytes, account: account)
    }
}

/// The bytes of a block that nobody has looked at so far.
private struct SerializedEntries {
    private let bytes: UnsafeRawBufferPointer
    private let entryCount: Int
    private let textCount: Int
    private let names: Range<Int>
    private let texts: Range<Int>

    /// Finds the parts; fails where they are not those that the header tells of, or not as they were written.
    init(_ bytes: UnsafeRawBufferPointer, prefix: Key) throws(DamagedBlock) {
        typealias Offset = EntryBlock.Offset
        guard bytes.count >= Offset.records else { throw DamagedBlock(reason: "it is too short") }
        guard bytes.integer(at: Offset.checksum) == EntryBlock.checksum(of: bytes, prefix: prefix) else {
            throw DamagedBlock(reason: "its checksum is wrong")
        }
        guard bytes.integer(at: Offset.format) == EntryBlock.format else {
            throw DamagedBlock(reason: "it is of another version")
        }
        let counts = [Offset.count, Offset.nameByteCount, Offset.textCount].map { offset -> Int in
            let count: UInt32 = bytes.integer(at: offset)
            return Int(count)
        }
        // Each is below 2^32, so nothing overflows.
        let namesStart =
            Offset.records + counts[0] * EntryRecord.byteCount + counts[2] * MemoryLayout<UInt32>.size
        guard namesStart + counts[1] <= bytes.count else { throw DamagedBlock(reason: "it is cut off") }
        self.bytes = bytes
        entryCount = counts[0]
        textCount = counts[2]
        names = namesStart..<namesStart + counts[1]
        texts = names.upperBound..<bytes.count
    }

    /// Fails where a name, a text or a field is not what a builder would write.
    func check() throws(DamagedBlock) {
        try checkTexts()
        var previous = UnsafeRawBufferPointer(start: nil, count: 0)
        var start = 0
        for index in 0..<entryCount {
            let record = EntryRecord(part(EntryBlock.Offset.records + index * EntryRecord.byteCount..<names.lowerBound))
            let end = Int(record.nameEnd)
            guard end > start, end <= names.count else { throw DamagedBlock(reason: "its names overlap") }
            let position = part(names.lowerBound + start..<names.lowerBound + end)
            guard index == 0 || previous.precedes(position) else {
                throw DamagedBlock(reason: "its names are out of order")
            }
            try check(record, position)
            previous = position
            start = end
        }
        guard start == names.count else { throw DamagedBlock(reason: "it has names of no entries") }
    }

    private func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[range])
    }

    private func check(_ record: EntryRecord, _ position: UnsafeRawBufferPointer) throws(DamagedBlock) {
        guard let form = EntryRecord.Form(rawValue: record.form) else {
            throw DamagedBlock(reason: "an entry is of an unknown form")
        }
        let name = form == .directory ? UnsafeRawBufferPointer(rebasing: position.dropLast()) : position
        guard Name.flaw(of: name) == nil, form != .directory || position.last == Key.delimiter else {
            throw DamagedBlock(reason: "a name is none")
        }
        guard record.size <= ObjectVersion.byteCountLimit else { throw DamagedBlock(reason: "a size is impossible") }
        switch form {
        case .directory:
            break
        case .file:
            guard record.partCount <= ETagDigest.partCountMax,
                StorageClassCode(rawValue: record.storageClass) != nil
            else { throw DamagedBlock(reason: "a field is out of range") }
        case .oddFile:
            guard record.etagText < textCount, record.storageClassText < textCount,
                record.time < Timestamp.nanosecondsPerSecond
            else { throw DamagedBlock(reason: "a field is out of range") }
        }
    }

    /// ETags go back in a header, so no text may hold what could end one.
    private func checkTexts() throws(DamagedBlock) {
        var start = 0
        for index in 0..<textCount {
            let field =
                EntryBlock.Offset.records + entryCount * EntryRecord.byteCount + index * MemoryLayout<UInt32>.size
            let end: UInt32 = bytes.integer(at: field)
            guard end >= start, end <= texts.count else { throw DamagedBlock(reason: "its texts overlap") }
            let text = part(texts.lowerBound + start..<texts.lowerBound + Int(end))
            guard text.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw DamagedBlock(reason: "a text has control characters")
            }
            start = Int(end)
        }
        guard start == texts.count else { throw DamagedBlock(reason: "something follows its texts") }
    }
}
