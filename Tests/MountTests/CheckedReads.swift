import Foundation
import ObjectStore
import SystemPackage
import TestSupport

/// The error of bytes that differ from the uploaded ones.
struct WrongBytes: Error, CustomStringConvertible {
    let description: String
}

extension ObjectBody {
    /// Throws unless `bytes` are the body's at the offsets of `range`. Unlike `#expect` for threads, and for megabytes.
    func check(_ bytes: [UInt8], at range: Range<Int>, of path: String) throws {
        let expected = self.bytes(in: range)
        let isSame = bytes.withUnsafeBytes { bytes in
            expected.withUnsafeBytes { expected in
                guard bytes.count == expected.count, let read = bytes.baseAddress, let right = expected.baseAddress
                else {
                    return bytes.count == expected.count
                }
                return memcmp(read, right, bytes.count) == 0
            }
        }
        if isSame { return }
        let offset = zip(bytes, expected).enumerated().first { $1.0 != $1.1 }?.offset
        throw WrongBytes(
            description: "\(path): \(bytes.count) bytes for \(range), different from "
                + "\(range.lowerBound + (offset ?? min(bytes.count, expected.count))) on")
    }
}

extension FileDescriptor {
    /// Reads `range` and throws unless it is as in `body`.
    func check(_ range: Range<Int>, _ body: ObjectBody, of path: String) throws {
        try body.check(try bytes(in: range), at: range, of: path)
    }
}

/// The size of a read, more than the kernel requests at once.
private let pieceByteCount = 2 << 20

/// Reads the file front to back, up to its end, and throws unless it is `body`.
func checkWhole(_ path: String, _ body: ObjectBody) throws {
    try withOpenFile(path) { file in
        for start in stride(from: 0, to: body.byteCount, by: pieceByteCount) {
            try file.check(start..<min(start + pieceByteCount, body.byteCount), body, of: path)
        }
        guard try file.bytes(in: body.byteCount..<body.byteCount + 1).isEmpty else {
            throw WrongBytes(description: "\(path): bytes behind the end")
        }
    }
}

/// Reads `count` pieces of at most `byteCountMax` bytes at random places, and throws unless they are as in `body`.
func checkRandomPieces(
    _ path: String, _ body: ObjectBody, count: Int, byteCountMax: Int = 200_000, using generator: inout SeededGenerator
) throws {
    try withOpenFile(path) { file in
        for _ in 0..<count {
            let start = Int.random(in: 0..<body.byteCount, using: &generator)
            let byteCount = Int.random(in: 1...byteCountMax, using: &generator)
            try file.check(start..<min(start + byteCount, body.byteCount), body, of: path)
        }
    }
}

/// Reads all of the files below `directory`, and throws unless they are these.
func checkAll(_ objects: [Key: ObjectBody], in directory: String) throws {
    for (key, body) in objects.sorted(by: { $0.key < $1.key }) { try checkWhole("\(directory)/\(key)", body) }
}
