import CFuse
import FileSystem
import Glibc
import ObjectStore
import struct SystemPackage.Errno
import SystemSupport

/// What is passed when a mount is asked for a presigned URL (CFuse.h).
struct PresignQuestion {
    /// The file's name in its directory.
    let name: [UInt8]
    /// How long the URL is to work, in seconds.
    let lifetime: Int

    init(name: [UInt8], lifetime: Int) {
        self.name = name
        self.lifetime = lifetime
    }

    /// Reads one; `nil` where it isn't of our making.
    init?(_ bytes: UnsafeRawBufferPointer) {
        let size = MemoryLayout<tractfs_presign_question>.size
        guard bytes.count >= size else { return nil }
        let head = bytes.loadUnaligned(as: tractfs_presign_question.self)
        let rest = bytes[size...]
        guard (1...Self.lifetimeMax).contains(head.lifetime_seconds), Int(head.name_byte_count) <= rest.count else {
            return nil
        }
        name = Array(rest.prefix(Int(head.name_byte_count)))
        lifetime = Int(head.lifetime_seconds)
    }

    /// What S3 allows, in seconds.
    private static let lifetimeMax: UInt32 = 604_800

    /// The question as it is passed, with room for the answer.
    var bytes: [UInt8] {
        let head = tractfs_presign_question(lifetime_seconds: UInt32(lifetime), name_byte_count: UInt32(name.count))
        let bytes = withUnsafeBytes(of: head) { Array($0) } + name
        return bytes + [UInt8](repeating: 0, count: TRACTFS_PRESIGN_BYTE_COUNT - bytes.count)
    }
}

/// What is given back.
enum PresignAnswer {
    /// The answer as it is passed. Throws where there is nothing to be told but an error, or it is too long.
    static func bytes(_ result: Result<PresignedFile, FileSystem.Failure>) throws(Errno) -> [UInt8] {
        var head = tractfs_presign_answer()
        var (key, text): ([UInt8], [UInt8]) = ([], [])
        switch result {
        case .success(let file):
            head.expiry_seconds = Int64(file.url.expiry?.seconds ?? 0)
            head.size = UInt64(file.byteCount ?? 0)
            head.constraint = file.url.constraint?.rawValue ?? 0
            (key, text) = (file.key.bytes, Array(file.url.text.utf8))
        case .failure(let failure):
            if failure.reason.isEmpty { throw failure.errno }
            head.error = failure.errno.rawValue
            text = Array(failure.reason.utf8)
        }
        (head.key_byte_count, head.url_byte_count) = (UInt32(key.count), UInt32(text.count))
        let bytes = withUnsafeBytes(of: head) { Array($0) } + key + text
        guard bytes.count <= TRACTFS_PRESIGN_BYTE_COUNT else { throw Errno(rawValue: EOVERFLOW) }
        return bytes
    }

    /// What an answer tells.
    static func file(_ bytes: [UInt8]) throws(FileSystem.Failure) -> PresignedFile {
        let head = bytes.withUnsafeBytes { $0.loadUnaligned(as: tractfs_presign_answer.self) }
        let rest = bytes.dropFirst(MemoryLayout<tractfs_presign_answer>.size)
        let key = rest.prefix(Int(head.key_byte_count))
        let text = String(decoding: rest.dropFirst(key.count).prefix(Int(head.url_byte_count)), as: UTF8.self)
        if head.error != 0 { throw FileSystem.Failure(errno: Errno(rawValue: head.error), reason: text) }
        let expiry = head.expiry_seconds == 0 ? nil : Timestamp(seconds: Int(head.expiry_seconds))
        let url = ObjectURL(text: text, expiry: expiry, constraint: ObjectURL.Constraint(rawValue: head.constraint))
        return PresignedFile(key: Key(key), byteCount: Int(clamping: head.size), url: url)
    }
}
