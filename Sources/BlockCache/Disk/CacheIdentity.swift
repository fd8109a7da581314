import CXXHash
import ObjectStore

/// Whose bytes a pair of cache files holds: one version of one object of one bucket. Files are named by its hash, and every
/// checksum depends on it, so that bytes that got into another object's file are noticed.
struct CacheIdentity: Hashable, Sendable {
    /// The endpoint and the bucket.
    let source: String
    /// Key, ETag and size.
    let version: ObjectVersion
    /// What the object's files are called, without their suffix: 32 hexadecimal digits.
    let name: String
    /// What the checksums start from.
    private let seed: UInt64

    /// The identity of `version` in the bucket `source`.
    init(source: String, version: ObjectVersion) {
        self.source = source
        self.version = version
        // The lengths keep apart what would be the same text otherwise.
        let (key, etag) = (version.key.bytes, Array(version.etag.text.utf8))
        let lengths = "\(source.utf8.count) \(key.count) \(etag.count) \(version.byteCount) "
        let hash = (Array(lengths.utf8) + Array(source.utf8) + key + etag).withUnsafeBytes {
            tractfs_xxh3_128($0.baseAddress, $0.count)
        }
        name = [hash.high, hash.low].map { CacheIdentity.hexadecimal($0) }.joined()
        seed = hash.high ^ hash.low
    }

    /// The size of the object.
    var byteCount: Int { version.byteCount }

    /// How many blocks the object has.
    var blockCount: Int {
        (byteCount + Block.byteCount - 1) / Block.byteCount
    }

    /// What the object takes on the disk when all of it is there, in bytes.
    var allocatedByteCount: Int {
        allocation(of: byteCount) + allocation(of: IndexHeader.indexByteCount(for: self))
    }

    /// The bytes of the object that the block `index` holds.
    func bytes(ofBlock index: Int) -> Range<Int> {
        index * Block.byteCount..<min((index + 1) * Block.byteCount, byteCount)
    }

    /// What stands in the index for the block `index` if these are its bytes; never 0, which says that there is no block.
    func checksum(_ bytes: UnsafeRawBufferPointer, ofBlock index: Int) -> UInt64 {
        // Odd, and so another seed for every index.
        let blockSeed = seed &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15
        return max(tractfs_xxh3_64(bytes.baseAddress, bytes.count, blockSeed), 1)
    }

    /// A checksum of a part of the index.
    func checksum(_ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { tractfs_xxh3_64($0.baseAddress, $0.count, seed) }
    }

    private static func hexadecimal(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
