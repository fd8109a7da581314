import CXXHash
import ObjectStore

extension EntryBlock {
    /// Returns the inode number of an entry, which users see: `Inode.number(of:)` of its key.
    func inodeNumber(_ index: Int) -> UInt64 {
        withSortKey(index) { sortKey in
            withUnsafeTemporaryAllocation(byteCount: prefix.bytes.count + sortKey.count, alignment: 1) { key in
                prefix.bytes.withUnsafeBytes { key.copyMemory(from: $0) }
                UnsafeMutableRawBufferPointer(rebasing: key[prefix.bytes.count...]).copyMemory(from: sortKey)
                return Inode.number(of: UnsafeRawBufferPointer(key))
            }
        }
    }

    /// Returns the preferred id of an entry's inode: a hash of all fields of the entry in a listing. It is the same in
    /// the next process, and another one after the object is written again, even with the same bytes. An inode gets
    /// another id if this one is in use.
    ///
    /// - Parameter number: The entry's inode number, which stands for its key.
    func preferredID(_ index: Int, number: UInt64) -> UInt64 {
        let record = record(index)
        switch EntryRecord.Form(rawValue: record.form) {
        case .file, nil: return Self.id(of: record, number: number)
        case .directory: return Self.preferredID(ofDirectory: number)
        case .oddFile:
            // The order of the texts in a block says nothing about the entry, so their hashes replace their indices.
            let etag = withText(record.etagText) { Inode.hash($0, seed: record.tagLow) }
            let storageClass = withText(record.storageClassText) { Inode.hash($0, seed: etag) }
            var canonical = record
            canonical.tagHigh = etag
            canonical.tagLow = storageClass
            return Self.id(of: canonical, number: number)
        }
    }

    /// Returns the preferred id of a directory's inode: a hash of its number, since a directory has no other fields.
    static func preferredID(ofDirectory number: UInt64) -> UInt64 {
        id(of: EntryRecord(directoryEndingAt: 0), number: number)
    }

    /// Returns a hash of a record, without the end of its name.
    private static func id(of record: EntryRecord, number: UInt64) -> UInt64 {
        let rest = UInt64(record.partCount) | UInt64(record.storageClass) << 16 | UInt64(record.form) << 24
        let words: InlineArray<6, UInt64> = [
            number.littleEndian, record.size.littleEndian, record.time.littleEndian, record.tagHigh.littleEndian,
            record.tagLow.littleEndian, rest.littleEndian,
        ]
        let hash = words.span.withUnsafeBytes { Inode.hash($0, seed: 1) }
        return max(hash, InodeID.firstFree)
    }

    /// Returns `true` if an entry equals one of another block: the same key, and for a file the same version of the
    /// object.
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
