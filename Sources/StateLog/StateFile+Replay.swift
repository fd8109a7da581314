import Glibc
import SystemPackage

extension StateFile {
    /// The number of bytes read at a time, unless a record is bigger.
    private static let pieceByteCount = 1 << 20

    /// Calls `body` with all records, in the order in which they were written.
    ///
    /// The file is read, not mapped, so that a disk failure is an error instead of a signal. The contents are validated
    /// even though only our processes can have written them: invalid records are an error.
    func forEachRecord(_ body: (RecordHeader, RawSpan) throws(StateLogError) -> Void) throws(StateLogError) {
        var offset = Self.headByteCount
        var byteCount = Self.pieceByteCount
        while offset < end {
            let piece = try bytes(offset..<min(offset + byteCount, end))
            let consumed = try Self.forEachRecord(in: piece, body)
            offset += consumed
            // The next record doesn't fit in a piece, unless it is truncated.
            byteCount = consumed > 0 ? Self.pieceByteCount : try Self.header(in: piece, at: 0).recordByteCount
            guard offset + (consumed > 0 ? 0 : byteCount) <= end else { throw Self.damage }
        }
    }

    /// Calls `body` with the complete records in `piece`. Returns the number of their bytes.
    private static func forEachRecord(
        in piece: [UInt8], _ body: (RecordHeader, RawSpan) throws(StateLogError) -> Void
    ) throws(StateLogError) -> Int {
        var offset = 0
        while piece.count - offset >= RecordHeader.byteCount {
            let header = try header(in: piece, at: offset)
            guard header.recordByteCount <= piece.count - offset else { break }
            let start = offset + RecordHeader.byteCount
            try body(header, piece.span.extracting(start..<start + header.contentByteCount).bytes)
            offset += header.recordByteCount
        }
        return offset
    }

    private static func header(in piece: [UInt8], at offset: Int) throws(StateLogError) -> RecordHeader {
        guard piece.count - offset >= RecordHeader.byteCount else { throw damage }
        let words = piece.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
            )
        }
        guard let header = RecordHeader(words: words) else { throw damage }
        return header
    }

    private static let damage = StateLogError("the log of the state is damaged")

    private func bytes(_ range: Range<Int>) throws(StateLogError) -> [UInt8] {
        do {
            return try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
                while count < range.count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                    let read = try descriptor.read(fromAbsoluteOffset: Int64(range.lowerBound + count), into: rest)
                    if read == 0 { throw StateFile.damage }
                    count += read
                }
            }
        } catch {
            throw StateLogError("the log of the state can't be read: \(error)")
        }
    }
}
