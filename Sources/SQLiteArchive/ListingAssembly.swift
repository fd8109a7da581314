import Foundation
import GRDB
import Namespace
import ObjectStore
import SystemSupport

/// A listing while its rows are read one by one.
struct ListingAssembly {
    /// The columns that it is made from, in this order.
    static let columns = "prefix, part, part_count, listed_at, checksum, content"

    /// The prefix of the directory.
    let prefix: Key
    /// The bytes of the blocks so far.
    private(set) var byteCount = 0
    private let partCount: Int64
    private let listedAt: Int64
    private var blocks: [[UInt8]] = []
    /// The number of rows so far.
    private var rowCount = 0
    /// `true` if a row is missing, for example because the listing is being evicted.
    private var isIncomplete = false
    /// `true` if a row doesn't match its checksum.
    private(set) var isDamaged = false

    /// Begins with the directory of `row`.
    init(_ row: Row) throws {
        prefix = try ListingAssembly.prefix(of: row)
        // A value that isn't a number is no failure here: its checksum doesn't match.
        partCount = Int64.fromDatabaseValue(row[2]) ?? -1
        listedAt = Int64.fromDatabaseValue(row[3]) ?? -1
    }

    /// Returns the prefix in `row`.
    static func prefix(of row: Row) throws -> Key {
        try row.withUnsafeData(atIndex: 0) { Key($0 ?? Data()) }
    }

    /// Adds the next row of the same directory.
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

    /// The listing; `nil` if a part is missing.
    var listing: ArchivedListing? {
        guard !isDamaged, !isIncomplete, rowCount == max(partCount, 1) else { return nil }
        return ArchivedListing(prefix: prefix, listedAt: Timestamp(nanosecondsSinceEpoch: listedAt), blocks: blocks)
    }
}
