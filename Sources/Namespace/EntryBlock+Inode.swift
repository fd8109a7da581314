import CXXHash
import ObjectStore

extension EntryBlock {
    /// The number that users see of an entry: `Inode.number(of:)` of its key.
    func inodeNumber(_ index: Int) -> UInt64 {
        withSortKey(index) { sortKey in
            withUnsafeTemporaryAllocation(byteCount: prefix.bytes.count + sortKey.count, alignment: 1) { key in
                prefix.bytes.withUnsafeBytes { key.copyMemory(from: $0) }
                UnsafeMutableRawBufferPointer(rebasing: key[prefix.bytes.count...]).copyMemory(from: sortKey)
                return Inode.number(of: UnsafeRawBufferPointer(key))
            }
        }
    }

    /// The id that an entry's inode gets if no other one has it: of all that a listing tells of the entry, so that it is the
    /// same in the next process, and another one for an object that was written again, be it with the same bytes.
    ///
    /// - Parameter number: The entry's inode number, which stands for its key.
    func preferredID(_ index: Int, number: UInt64) -> UInt64 {
        let record = record(index)
        switch EntryRecord.Form(rawValue: record.form) {
        case .file, nil: return Self.id(of: record, number: number)
        case .directory: return Self.preferredID(ofDirectory: number)
        case .oddFile:
            // Where the block keeps the texts says nothing about the entry, so their hashes stand in for their indices.
            let etag = withText(record.etagText) { Inode.hash($0, seed: record.tagLow) }
            let storageClass = withText(record.storageClassText) { Inode.hash($0, seed: etag) }
            var canonical = record
            canonical.tagHigh = etag
            canonical.tagLow = storageClass
            return Self.id(of: canonical, number: number)
        }
    }

    /// The same for a directory, of which nothing but its key is told.
    static func preferredID(ofDirectory number: UInt64) -> UInt64 {
        id(of: EntryRecord(directoryEndingAt: 0), number: number)
    }

    /// A hash of a record whose fields stand for themselves. The end of the name isn't one.
    private static func id(of record: EntryRecord, number: UInt64) -> UInt64 {
        let rest = UInt64(record.partCount) | UInt64(record.storageClass) << 16 | UInt64(record.form) << 24
        let words: InlineArray<6, UInt64> = [
            number.littleEndian, record.size.littleEndian, record.time.littleEndian, record.tagHigh.littleEndian,
            record.tagLow.littleEndian, rest.littleEndian,
        ]
        let hash = words.span.withUnsafeBytes { Inode.hash($0, seed: 1) }
        return max(hash, InodeID.firstFree)
    }

    /// Whether an entry is the same as one of another block: the same key, and for a file the same writing of the object.
    func isEntry(_ index: Int, sameAs otherIndex: Int, of other: EntryBlock) -> Bool {
        if self === other && index == otherIndex { return true }
        let (mine, theirs) = (record(index), other.record(otherIndex))
        guard mine.size == theirs.size, mine.time == theirs.time, mine.partCount == theirs.partCount,
            mine.storageClass == theirs.storageClass, mine.form == theirs.form,
            withSortKey(index, { mine in other.withSortKey(otherIndex) { mine.isEqual(to: $0) } }),
            prefix == other.prefix
        else { return false }
        guard mine.form == EntryRecord.Form.oddFile.rawValue else {
            return mine.tagHigh == theirs.tagHigh && mine.tagLow == theirs.tagLow
        }
        return mine.tagLow == theirs.tagLow
            && hasText(mine.etagText, equalTo: theirs.etagText, of: other)
            && hasText(mine.storageClassText, equalTo: theirs.storageClassText, of: other)
    }

    private func hasText(_ index: Int, equalTo otherIndex: Int, of other: EntryBlock) -> Bool {
        withText(index) { mine in other.withText(otherIndex) { mine.isEqual(to: $0) } }
    }
}
