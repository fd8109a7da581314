import CXXHash
import ObjectStore

/// What a row's checksum proves with its content: whose listing it is part of, which part, and of when.
///
/// SQLite has no checksums of its own. Whatever happens to the file, a row that proves right is one that we wrote, for just
/// this directory.
struct RowProof {
    /// The endpoint and the bucket.
    let source: String
    /// The directory's prefix.
    let prefix: Key
    /// Which block of the listing it is, and how many there are.
    let part: Int
    let partCount: Int
    /// When it was listed, in nanoseconds since 1970.
    let listedAt: Int64

    /// The checksum of a row with this content.
    func checksum(_ content: UnsafeRawBufferPointer) -> Int64 {
        // The lengths keep apart what would be the same bytes otherwise.
        let words = [Int64(source.utf8.count), Int64(prefix.bytes.count), Int64(part), Int64(partCount), listedAt]
        let head = words.flatMap { word in withUnsafeBytes(of: word, Array.init) } + source.utf8 + prefix.bytes
        let seed = head.withUnsafeBytes { tractfs_xxh3_64($0.baseAddress, $0.count, 0) }
        return Int64(bitPattern: tractfs_xxh3_64(content.baseAddress, content.count, seed))
    }
}
