import ObjectStore

extension EntryBlock {
    /// Builds a block, entry by entry.
    struct Builder {
        private let prefix: Key
        private let account: BlockAccount
        private var records: [UInt8] = []
        private var names: [UInt8] = []
        private var textEnds: [UInt8] = []
        private var texts: [UInt8] = []
        /// The storage class of the previous odd file, and the index of its text: most files have the same.
        private var lastStorageClass: (name: String, text: UInt32)?
        private var lastStart = 0
        /// The number of entries so far.
        private(set) var count = 0

        /// Creates an empty block of the directory of `prefix`.
        ///
        /// - Parameters:
        ///   - reserving: The number of entries to reserve memory for.
        ///   - account: The account that counts the block's memory.
        init(prefix: Key, reserving entryCount: Int, account: BlockAccount) {
            self.prefix = prefix
            self.account = account
            records.reserveCapacity(entryCount * EntryRecord.byteCount)
            names.reserveCapacity(entryCount * 16)
        }

        /// The sort key of the last entry.
        var lastSortKey: ArraySlice<UInt8>? {
            count == 0 ? nil : names[lastStart...]
        }

        /// Appends a file behind all other entries.
        ///
        /// - Parameters:
        ///   - name: The key without the directory's prefix: a valid `Name`.
        ///   - object: The file. Its key is ignored.
        mutating func append(file name: some Collection<UInt8>, object: ListedObject) {
            let end = appendName(name)
            if let record = EntryRecord(object, endingAt: end) {
                record.append(to: &records)
            } else {
                let etag = append(text: object.version.etag.text)
                let storageClass = text(ofStorageClass: object.storageClass)
                EntryRecord(object, etagText: etag, storageClassText: storageClass, endingAt: end).append(to: &records)
            }
        }

        /// Appends a directory behind all other entries.
        ///
        /// - Parameter name: The name without a "/": a valid `Name`.
        mutating func append(directory name: some Collection<UInt8>) {
            _ = appendName(name)
            names.append(Key.delimiter)
            EntryRecord(directoryEndingAt: UInt32(names.count)).append(to: &records)
        }

        /// Appends an entry of another block of this directory behind all other entries.
        mutating func append(_ index: Int, of block: EntryBlock) {
            var record = block.record(index)
            record.nameEnd = block.withSortKey(index) { appendName($0) }
            if record.form == EntryRecord.Form.oddFile.rawValue {
                let etag = append(text: block.text(record.etagText))
                let storageClass = text(ofStorageClass: block.text(record.storageClassText))
                record.tagHigh = EntryRecord.tagHigh(etagText: etag, storageClassText: storageClass)
            }
            record.append(to: &records)
        }

        /// Returns the block.
        consuming func finish() -> EntryBlock {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(Offset.records + records.count + textEnds.count + names.count + texts.count)
            bytes.append(integer: UInt64(0))
            bytes.append(integer: EntryBlock.format)
            bytes.append(integer: UInt32(count))
            bytes.append(integer: UInt32(names.count))
            bytes.append(integer: UInt32(textEnds.count / MemoryLayout<UInt32>.size))
            bytes += records
            bytes += textEnds
            bytes += names
            bytes += texts
            bytes.withUnsafeMutableBytes { bytes in
                let checksum = EntryBlock.checksum(of: UnsafeRawBufferPointer(bytes), prefix: prefix)
                bytes.storeBytes(of: checksum.littleEndian, toByteOffset: Offset.checksum, as: UInt64.self)
            }
            return EntryBlock(prefix: prefix, checked: bytes, account: account)
        }

        /// Returns the end of the name among the names.
        private mutating func appendName(_ name: some Collection<UInt8>) -> UInt32 {
            lastStart = names.count
            names += name
            count += 1
            return UInt32(names.count)
        }

        /// Returns the index of the text.
        private mutating func append(text: String) -> UInt32 {
            let index = UInt32(textEnds.count / MemoryLayout<UInt32>.size)
            texts += text.utf8
            textEnds.append(integer: UInt32(texts.count))
            return index
        }

        private mutating func text(ofStorageClass name: String) -> UInt32 {
            if let last = lastStorageClass, last.name == name { return last.text }
            let text = append(text: name)
            lastStorageClass = (name, text)
            return text
        }
    }
}
