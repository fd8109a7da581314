import Foundation
import SystemPackage
import TestSupport

/// A piece of a file, read through mmap(2) by `Soak map` in a process of its own.
struct MappedPiece {
    private let path: String
    private let offset: Int
    private let byteCount: Int
    /// The possible contents of the file.
    private let bodies: [ObjectBody]

    /// The outcome, as an exit status.
    enum Outcome: Int32 {
        case right = 0
        case wrong = 1
        case missing = 3
        case refused = 4
    }

    /// Parses the arguments after "map".
    init(_ arguments: some Collection<String>) throws {
        let arguments = Array(arguments)
        guard arguments.count >= 3, let offset = Int(arguments[1]), let byteCount = Int(arguments[2]) else {
            throw UsageError()
        }
        (path, self.offset, self.byteCount) = (arguments[0], offset, byteCount)
        bodies = arguments.dropFirst(3).compactMap { ObjectBody(patternText: $0) }
    }

    /// Compares the piece with the possible contents.
    func check() throws -> Outcome {
        let descriptor = open(path, O_RDONLY)
        if descriptor < 0 { return errno == ENOENT ? .missing : .refused }
        defer { close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        let range = min(offset, size)..<min(offset + byteCount, size)
        let candidates = bodies.filter { $0.byteCount == size }
        if candidates.isEmpty { return .wrong }
        if range.isEmpty { return .right }
        guard let pages = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), pages != MAP_FAILED else {
            return .refused
        }
        defer { munmap(pages, size) }
        let piece = UnsafeRawBufferPointer(start: pages + range.lowerBound, count: range.count)
        return candidates.contains { $0.bytes(in: range).elementsEqual(piece) } ? .right : .wrong
    }
}
