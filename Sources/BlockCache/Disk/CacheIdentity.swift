import CXXHash
import ObjectStore
import SystemSupport

/// The identity of the bytes in a pair of cache files: one version of one object in one bucket. The files are named by
/// its hash, and every checksum depends on it, so bytes that end up in another object's file are detected.
struct CacheIdentity: Hashable, Sendable {
    /// The endpoint and the bucket.
    let source: String
    /// The key, ETag and size.
    let version: ObjectVersion
    /// The name of the object's files, without suffix: 32 hexadecimal digits.
    let name: String
    /// The seed of the checksums.
    private let seed: UInt64

    /// Creates the identity of `version` in the bucket `source`.
    init(source: String, version: ObjectVersion) {
        self.source = source
        self.version = version
        // The lengths keep fields apart that would otherwise concatenate to the same text.
        let (key, etag) = (version.key.bytes, Array(version.etag.text.utf8))
        let lengths = "\(source.utf8.count) \(key.count) \(etag.count) \(version.byteCount) "
        let hash = (Array(lengths.utf8) + Array(source.utf8) + key + etag).withUnsafeBytes {
            tractfs_xxh3_128($0.baseAddress, $0.count)
        }
        name = [hash.high, hash.low].map { $0.padded(to: 16, radix: 16) }.joined()
        seed = hash.high ^ hash.low
    }

    /// The size of the object.
    var byteCount: Int { version.byteCount }

    /// The number of blocks of the object.
    var blockCount: Int {
        (byteCount + Block.byteCount - 1) / Block.byteCount
    }

    /// The disk usage of the complete object, in bytes.
    var allocatedByteCount: Int {
        allocation(of: byteCount) + allocation(of: IndexHeader.indexByteCount(for: self))
    }

    /// Returns the range of object bytes that the block `index` holds.
    func bytes(ofBlock index: Int) -> Range<Int> {
        index * Block.byteCount..<min((index + 1) * Block.byteCount, byteCount)
    }

    /// Returns the index entry for the block `index` with these bytes. It is never 0, which marks an absent block.
    func checksum(_ bytes: UnsafeRawBufferPointer, ofBlock index: Int) -> UInt64 {
        // Odd, so every index gets another seed.
        let blockSeed = seed &+ UInt64(index) &* 0x9e37_79b9_7f4a_7c15
        return max(tractfs_xxh3_64(bytes.baseAddress, bytes.count, blockSeed), 1)
    }

    /// Returns a checksum of a part of the index.
    func checksum(_ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { tractfs_xxh3_64($0.baseAddress, $0.count, seed) }
    }
}
