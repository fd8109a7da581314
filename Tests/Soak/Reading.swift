import Foundation
import ObjectStore
import SystemPackage
import SystemSupport
import TestSupport

/// A failure of a read.
enum SoakFailure: Error, CustomStringConvertible {
    /// Bytes or names that the bucket never had: never excusable.
    case wrong(String)
    /// An error of the file system, which a disturbance may explain.
    case refused(Errno, String)
    /// The object was replaced during the read, and the reader got the right error for that.
    case replaced

    var description: String {
        switch self {
        case .wrong(let what): "wrong: \(what)"
        case .refused(let errno, let what): "\(errno): \(what)"
        case .replaced: "replaced under the reader"
        }
    }
}

/// One user's way of reading, each time a different file or folder.
struct Reading {
    let bucket: SoakBucket
    let mountPoint: String
    var generator: SeededGenerator

    /// The longest time that outdated contents are visible: the listings' lifetime, plus the time to get a listing.
    static let staleness: Duration = .seconds(2 + 8)
    /// The most bytes read of a file, and the size of the pieces.
    private static let byteCountMax = 24 << 20
    private static let pieceByteCount = 1 << 20

    /// Reads a file from an offset on, front to back.
    mutating func readOn() throws {
        try withRandomFile { file, expected, generator in
            let start = Bool.random(using: &generator) ? 0 : Int.random(in: 0...expected.byteCount, using: &generator)
            let end = min(expected.byteCount, start + Self.byteCountMax)
            for offset in stride(from: start, to: end, by: Self.pieceByteCount) {
                try expected.check(file, offset..<min(offset + Self.pieceByteCount, end))
            }
        }
    }

    /// Reads pieces of a file at random offsets.
    mutating func readPieces() throws {
        try withRandomFile { file, expected, generator in
            for _ in 0..<20 where expected.byteCount > 0 {
                let start = Int.random(in: 0..<expected.byteCount, using: &generator)
                let byteCount = Int.random(in: 1...200_000, using: &generator)
                try expected.check(file, start..<min(start + byteCount, expected.byteCount))
            }
        }
    }

    /// Maps a piece of a file in a process of its own, since an error there ends the process.
    mutating func map() throws {
        let key = randomKey()
        let start = ContinuousClock.now
        let offset = Int.random(in: 0..<60_000, using: &generator)
        let arguments = ["map", "\(mountPoint)/\(key)", "\(offset)", "3000000"]
        // Versions written during the read would be right too. The process is given only the earlier ones, so a
        // difference counts only if there were no later ones.
        let bodies = bucket.bodies(of: key, from: start - Self.staleness, to: start)
        let status = try run(CommandLine.arguments[0], arguments + bodies.compactMap { $0?.patternText }).status
        let isSame = bucket.bodies(of: key, from: start - Self.staleness, to: .now).count == bodies.count
        switch MappedPiece.Outcome(rawValue: status) {
        case .right: return
        case .wrong where isSame: throw SoakFailure.wrong("mapped bytes of \(key)")
        case .wrong: throw SoakFailure.replaced
        case .missing where !isSame || bodies.contains(nil): throw SoakFailure.replaced
        // A small object is fetched when it is opened; ESTALE is returned by then if it was replaced.
        case .refused where !isSame || bodies.count > 1: throw SoakFailure.replaced
        case .missing: throw SoakFailure.refused(.noSuchFileOrDirectory, "mapping \(key)")
        case .refused: throw SoakFailure.refused(.ioError, "mapping \(key)")
        // A page that can't be read causes SIGBUS, also if the object was replaced.
        case nil where status == -SIGBUS && bodies.count > 1 || !isSame: throw SoakFailure.replaced
        case nil: throw SoakFailure.refused(.ioError, "mapping \(key): ended with \(status)")
        }
    }

    /// Walks one folder or all folders, and compares the names.
    mutating func walk() throws {
        let folder =
            Int.random(in: 0..<4, using: &generator) == 0 ? "" : "sub-\(Int.random(in: 0..<40, using: &generator))/"
        let start = ContinuousClock.now
        var found: Set<String> = []
        try list(folder, into: &found)
        for key in bucket.allKeys where key.hasPrefix(Key(folder)) {
            let bodies = bucket.bodies(of: key, from: start - Self.staleness, to: .now)
            if found.remove("\(key)") != nil {
                if bodies.allSatisfy({ $0 == nil }) { throw SoakFailure.wrong("\(key) is seen, and wasn't there") }
            } else if !bodies.contains(nil) {
                throw SoakFailure.wrong("\(key) is not seen")
            }
        }
        if let name = found.first { throw SoakFailure.wrong("\(name) is seen, and never was") }
    }

    private func list(_ folder: String, into found: inout Set<String>) throws {
        var all: [DirectoryEntries.Entry] = []
        do throws(Errno) {
            var entries = try DirectoryEntries("\(mountPoint)/\(folder)")
            while let entry = try entries.next() { all.append(entry) }
        } catch {
            throw SoakFailure.refused(error, "listing \(folder)")
        }
        for entry in all {
            if entry.type == UInt8(DT_DIR) {
                try list("\(folder)\(entry.text)/", into: &found)
            } else if !found.insert(folder + entry.text).inserted {
                throw SoakFailure.wrong("\(folder)\(entry.text) is seen twice")
            }
        }
    }

    private mutating func randomKey() -> Key {
        let keys = Int.random(in: 0..<8, using: &generator) == 0 ? bucket.movingKeys.map(\.0) : bucket.permanentKeys
        return keys.randomElement(using: &generator) ?? keys[0]
    }

    private mutating func withRandomFile(
        _ body: (FileDescriptor, inout ExpectedBytes, inout SeededGenerator) throws -> Void
    ) throws {
        let key = randomKey()
        let start = ContinuousClock.now - Self.staleness
        var expected = ExpectedBytes(bucket: bucket, key: key, since: start)
        do {
            let file = try FileDescriptor.open(FilePath("\(mountPoint)/\(key)"), .readOnly, options: .closeOnExec)
            try file.closeAfter {
                try expected.settle(byteCount: Int(file.seek(offset: 0, from: .end)))
                try body(file, &expected, &generator)
            }
        } catch let errno as Errno {
            let isReplaced = errno == .staleNFSFileHandle || errno == .noSuchFileOrDirectory
            if isReplaced, bucket.bodies(of: key, from: start, to: .now).count > 1 { throw SoakFailure.replaced }
            if errno == .noSuchFileOrDirectory, bucket.bodies(of: key, from: start, to: .now).contains(nil) {
                throw SoakFailure.replaced
            }
            throw SoakFailure.refused(errno, "reading \(key)")
        }
    }
}

/// The possible bytes of one open file: those of any single version.
struct ExpectedBytes {
    let bucket: SoakBucket
    let key: Key
    let since: ContinuousClock.Instant
    private(set) var byteCount = 0
    /// The versions that match all bytes so far; the last candidates are known when the file is opened.
    private var candidates: [ObjectBody] = []

    init(bucket: SoakBucket, key: Key, since: ContinuousClock.Instant) {
        self.bucket = bucket
        self.key = key
        self.since = since
    }

    /// Records the size of the opened file.
    mutating func settle(byteCount: Int) throws {
        self.byteCount = byteCount
        candidates = bucket.bodies(of: key, from: since, to: .now).compactMap { $0 }.filter {
            $0.byteCount == byteCount
        }
        if candidates.isEmpty { throw SoakFailure.wrong("\(key) has \(byteCount) bytes, and never had") }
    }

    /// Reads a piece, and throws unless one version matches it and all earlier pieces.
    mutating func check(_ file: FileDescriptor, _ range: Range<Int>) throws {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var filledCount = 0
        try bytes.withUnsafeMutableBytes { bytes in
            while filledCount < range.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[filledCount...])
                let count = try file.read(fromAbsoluteOffset: Int64(range.lowerBound + filledCount), into: rest)
                if count == 0 { break }
                filledCount += count
            }
        }
        if filledCount < range.count {
            throw SoakFailure.wrong("\(key) ends at \(range.lowerBound + filledCount) of \(byteCount)")
        }
        candidates.removeAll { $0.bytes(in: range) != bytes }
        if candidates.isEmpty { throw SoakFailure.wrong("bytes \(range) of \(key)") }
    }
}

extension ObjectBody {
    /// The pattern's seed and size, in the form that `Soak map` accepts.
    var patternText: String? {
        guard case .pattern(let seed, let byteCount) = self else { return nil }
        return "\(seed):\(byteCount)"
    }

    /// Parses the text form.
    init?(patternText: String) {
        let numbers = patternText.split(separator: ":").compactMap { UInt64($0) }
        guard numbers.count == 2 else { return nil }
        self = .pattern(seed: numbers[0], byteCount: Int(numbers[1]))
    }
}
