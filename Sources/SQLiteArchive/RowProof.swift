import CXXHash
import ObjectStore

/// The facts that a row's checksum proves in addition to its content: the listing, the part and the time.
///
/// SQLite has no checksums of its own. Whatever happens to the file, a row with a right checksum was written by us, for
/// exactly this directory.
struct RowProof {
    /// The endpoint and the bucket.
    let source: String
    /// The directory's prefix.
    let prefix: Key
    /// The index of the block in the listing, and the number of blocks.
    let part: Int
    let partCount: Int
    /// The time of the listing, in nanoseconds since 1970.
    let listedAt: Int64

    /// Returns the checksum of a row with this content.
    func checksum(_ content: UnsafeRawBufferPointer) -> Int64 {
        // The lengths keep fields apart that would otherwise concatenate to the same bytes.
        let words = [Int64(source.utf8.count), Int64(prefix.bytes.count), Int64(part), Int64(partCount), listedAt]
        let head = words.flatMap { word in withUnsafeBytes(of: word, Array.init) } + source.utf8 + prefix.bytes
        let seed = head.withUnsafeBytes { tractfs_xxh3_64($0.baseAddress, $0.count, 0) }
        return Int64(bitPattern: tractfs_xxh3_64(content.baseAddress, content.count, seed))
    }
}
