import BlockCache
import CFuse
import FileSystem
import Glibc
import struct SystemPackage.Errno

/// What is passed when a mount is asked about a file's copy in the disk cache (CFuse.h).
enum FileMessages {
    /// The question as it is passed, with room for the answer.
    static func bytes(_ question: FileSystem.FetchQuestion) -> [UInt8] {
        var message = tractfs_file_question()
        message.version = question.version
        message.start = UInt64(question.range.lowerBound)
        message.end = UInt64(question.range.upperBound)
        message.actions = question.actions.rawValue
        message.name_byte_count = fill(&message.name, with: question.name)
        return padded(message, to: TRACTFS_FILE_BYTE_COUNT)
    }

    /// Reads a question; `nil` where it isn't of our making.
    static func question(_ bytes: UnsafeRawBufferPointer) -> FileSystem.FetchQuestion? {
        guard bytes.count == TRACTFS_FILE_BYTE_COUNT else { return nil }
        let message = bytes.loadUnaligned(as: tractfs_file_question.self)
        guard let name = taken(message.name, message.name_byte_count), message.start <= message.end,
            message.end <= UInt64(Int.max)
        else { return nil }
        return FileSystem.FetchQuestion(
            name: name, actions: FileSystem.FetchQuestion.Actions(rawValue: message.actions), version: message.version,
            range: Int(message.start)..<Int(message.end))
    }

    /// The answer as it is passed. Throws where there is nothing to be told but an error.
    static func answer(
        _ result: Result<FileSystem.FetchAnswer, FileSystem.Failure>
    ) throws(Errno) -> tractfs_file_answer {
        var message = tractfs_file_answer()
        switch result {
        case .success(let answer):
            message.version = answer.version
            message.byte_count = UInt64(answer.byteCount)
            message.allocated_byte_count = UInt64(answer.allocatedByteCount)
            message.cached_byte_count = UInt64(answer.cachedByteCount)
            message.end = UInt64(answer.end)
            message.fetched_byte_count = UInt64(answer.fetchedByteCount)
            message.damaged_block_count = UInt32(clamping: answer.damagedBlockCount)
            message.is_kept = answer.isKept ? 1 : 0
        case .failure(let failure):
            if failure.reason.isEmpty { throw failure.errno }
            message.error = failure.errno.rawValue
            message.reason_byte_count = fill(&message.reason, with: Array(failure.reason.utf8))
        }
        return message
    }

    /// What an answer tells.
    static func answer(_ bytes: [UInt8]) throws(FileSystem.Failure) -> FileSystem.FetchAnswer {
        let message = bytes.withUnsafeBytes { $0.loadUnaligned(as: tractfs_file_answer.self) }
        if message.error != 0 {
            let reason = taken(message.reason, message.reason_byte_count) ?? []
            throw FileSystem.Failure(
                errno: Errno(rawValue: message.error), reason: String(decoding: reason, as: UTF8.self))
        }
        var answer = FileSystem.FetchAnswer()
        answer.version = message.version
        answer.byteCount = Int(clamping: message.byte_count)
        answer.allocatedByteCount = Int(clamping: message.allocated_byte_count)
        answer.cachedByteCount = Int(clamping: message.cached_byte_count)
        answer.end = Int(clamping: message.end)
        answer.fetchedByteCount = Int(clamping: message.fetched_byte_count)
        answer.damagedBlockCount = Int(message.damaged_block_count)
        answer.isKept = message.is_kept == 1
        return answer
    }

    /// The question which file is to be released, with room for the answer.
    static func bytes(releasing name: [UInt8]) -> [UInt8] {
        var message = tractfs_release_question()
        message.name_byte_count = fill(&message.name, with: name)
        return padded(message, to: TRACTFS_RELEASE_BYTE_COUNT)
    }

    /// Reads such a question; `nil` where it isn't of our making.
    static func releasedName(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard bytes.count == TRACTFS_RELEASE_BYTE_COUNT else { return nil }
        let message = bytes.loadUnaligned(as: tractfs_release_question.self)
        return taken(message.name, message.name_byte_count)
    }

    /// What the answer to it tells.
    static func release(_ bytes: [UInt8]) -> DiskCache.Release {
        let message = bytes.withUnsafeBytes { $0.loadUnaligned(as: tractfs_release_answer.self) }
        return DiskCache.Release(
            objectCount: Int(clamping: message.object_count), byteCount: Int(clamping: message.byte_count))
    }

    private static func padded(_ message: some BitwiseCopyable, to byteCount: Int) -> [UInt8] {
        let bytes = withUnsafeBytes(of: message) { Array($0) }
        return bytes + [UInt8](repeating: 0, count: byteCount - bytes.count)
    }

    /// Copies as many of the bytes as there is room for, and says how many. A name that is too long is cut, and so is none.
    private static func fill(_ array: inout some BitwiseCopyable, with bytes: [UInt8]) -> UInt32 {
        withUnsafeMutableBytes(of: &array) { buffer in
            buffer.copyBytes(from: bytes.prefix(buffer.count))
            return UInt32(min(bytes.count, buffer.count))
        }
    }

    /// The first `count` bytes of a fixed array; `nil` if it has fewer.
    private static func taken(_ array: some BitwiseCopyable, _ count: UInt32) -> [UInt8]? {
        withUnsafeBytes(of: array) { Int(count) <= $0.count ? Array($0.prefix(Int(count))) : nil }
    }
}

extension tractfs_cache_room {
    init(_ room: DiskCache.Room) {
        self.init(
            limit: UInt64(room.byteLimit), fillable: UInt64(room.fillableByteCount),
            keepable: UInt64(room.pinnableByteCount), kept: UInt64(room.pinnedByteCount))
    }
}

extension DiskCache.Room {
    init(_ room: tractfs_cache_room) {
        self.init(
            byteLimit: Int(clamping: room.limit), fillableByteCount: Int(clamping: room.fillable),
            pinnableByteCount: Int(clamping: room.keepable), pinnedByteCount: Int(clamping: room.kept))
    }
}

extension tractfs_release_answer {
    init(_ release: DiskCache.Release) {
        self.init(object_count: UInt64(release.objectCount), byte_count: UInt64(release.byteCount))
    }
}
