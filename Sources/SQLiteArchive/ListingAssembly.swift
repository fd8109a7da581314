import Foundation
import GRDB
import Namespace
import ObjectStore

/// A listing while its rows are read, one after the other.
struct ListingAssembly {
    /// The columns that it is made from, in this order.
    static let columns = "prefix, part, part_count, listed_at, checksum, content"

    /// The prefix of the directory.
    let prefix: Key
    /// What the blocks take so far.
    private(set) var byteCount = 0
    private let partCount: Int64
    private let listedAt: Int64
    private var blocks: [[UInt8]] = []
    /// How many rows there were.
    private var rowCount = 0
    /// Whether a row is missing: the listing is just being made room of, say.
    private var isIncomplete = false
    /// Whether a row isn't what was written.
    private(set) var isDamaged = false

    /// Begins with the directory of `row`.
    init(_ row: Row) throws {
        prefix = try ListingAssembly.prefix(of: row)
        // What isn't even a number is no reason to fail: it doesn't prove right.
        partCount = Int64.fromDatabaseValue(row[2]) ?? -1
        listedAt = Int64.fromDatabaseValue(row[3]) ?? -1
    }

    /// The prefix that stands in `row`.
    static func prefix(of row: Row) throws -> Key {
        try row.withUnsafeData(atIndex: 0) { Key($0 ?? Data()) }
    }

    /// Takes the next row of the same directory.
    mutating func append(_ row: Row, source: String) throws {
        let content = try row.withUnsafeData(atIndex: 5) { [UInt8]($0 ?? Data()) }
        let checksum = Int64.fromDatabaseValue(row[4])
        guard let part = Int.fromDatabaseValue(row[1]) else {
            isDamaged = true
            return
        }
        if part != rowCount { isIncomplete = true }
        rowCount += 1
        let proof = RowProof(
            source: source, prefix: prefix, part: part, partCount: Int(partCount), listedAt: listedAt)
        guard content.withUnsafeBytes({ proof.checksum($0) }) == checksum else {
            isDamaged = true
            return
        }
        if partCount > 0 { blocks.append(content) }
        byteCount += content.count
    }

    /// The listing; `nil` if something is missing.
    var listing: ArchivedListing? {
        guard !isDamaged, !isIncomplete, rowCount == max(partCount, 1) else { return nil }
        return ArchivedListing(prefix: prefix, listedAt: WallTime.timestamp(listedAt), blocks: blocks)
    }
}
