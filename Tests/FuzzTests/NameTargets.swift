import ObjectStore

@testable import Namespace

extension FuzzTarget {
    /// A key, and the directory that it was listed in: a line.
    static let key = FuzzTarget(name: "key") { bytes in
        var choices = Choices(bytes)
        var prefix = Key(choices.line())
        if !prefix.bytes.isEmpty && !prefix.endsInDelimiter { prefix = prefix.appending([Key.delimiter]) }
        let key = prefix.appending(choices.rest)
        try requirePlain(key.description)
        switch KeyClassification(key, below: prefix) {
        case .marker: try require(key == prefix, "\(key) is no marker")
        case .file(let name):
            try requireName(name)
            try require(prefix.appending(name) == key, "\(key) is not the file's key")
        case .directory(let name):
            try requireName(name)
            let directory = prefix.appending(name + [Key.delimiter])
            try require(key.hasPrefix(directory), "\(key) is not in the directory")
        case .hidden:
            let component = choices.rest.prefix { $0 != Key.delimiter }
            try require((try? Name(component)) == nil, "\(key) is hidden without need")
        }
        try require(!(key < key) && key.next > key, "\(key) has no place among keys")
        try require(key.endOfPrefix.map { key < $0 } ?? true, "\(key) is behind its own end")
    }

    private static func requireName(_ name: ArraySlice<UInt8>) throws {
        let bytes = Array(name)
        try require((1...Name.byteCountLimit).contains(bytes.count), "a name has \(bytes.count) bytes")
        try require(!bytes.contains(0) && !bytes.contains(Key.delimiter), "a name leaves its directory")
        try require(![Array(".".utf8), Array("..".utf8)].contains(bytes), "a name leaves its directory")
        try require(String(validating: bytes, as: UTF8.self) != nil, "a name is no text")
    }

    /// The block of a listing, as the database has it; with a first byte that is odd, its checksum is set right before.
    static let listingBlock = FuzzTarget(name: "listing-block") { bytes in
        guard let choice = bytes.first else { return }
        var serialized = Array(bytes.dropFirst())
        let prefix: Key = choice & 2 == 0 ? "a/" : ""
        if choice & 1 == 1, serialized.count >= EntryBlock.Offset.records {
            serialized.withUnsafeMutableBytes { bytes in
                bytes.storeBytes(
                    of: EntryBlock.checksum(of: UnsafeRawBufferPointer(bytes), prefix: prefix).littleEndian,
                    toByteOffset: EntryBlock.Offset.checksum, as: UInt64.self)
            }
        }
        let block: EntryBlock
        do throws(DamagedBlock) {
            block = try EntryBlock(prefix: prefix, serialized: serialized, account: BlockAccount())
        } catch {
            return
        }
        try requireUsable(block)
    }

    private static func requireUsable(_ block: EntryBlock) throws {
        var copy = EntryBlock.Builder(prefix: block.prefix, reserving: block.count, account: BlockAccount())
        for index in 0..<block.count {
            try requireName(Name(block.withName(index) { Array($0) }).bytes[...])
            try require(block.index(of: block.sortKey(index)) == index, "an entry isn't found where it is")
            if case .file(let object) = block.kind(index) {
                try require(
                    (0...ObjectVersion.byteCountLimit).contains(object.version.byteCount), "a size is impossible")
                try require(
                    object.version.etag.text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "an ETag could end a header")
            }
            copy.append(index, of: block)
        }
        let again = copy.finish()
        for index in 0..<block.count {
            try require(
                again.key(index) == block.key(index) && again.kind(index) == block.kind(index),
                "an entry is another one in a copy")
        }
    }
}
