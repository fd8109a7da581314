import struct SystemPackage.Errno
import Glibc
import SystemSupport

/// The state of a data file when all its blocks had been verified. While the state is the same, the file has not been
/// written: `changed` moves with every write and can't be set. A machine that stopped without warning may have lost
/// writes, so a seal is valid for one boot only.
struct SealRecord: Hashable {
    /// The number of bytes of a seal in the index.
    static let byteCount = 72

    private let words: [UInt64]

    /// Creates the seal of a file with the status `status`.
    init(_ status: FileStatus) {
        let fields = [status.byteCount, status.modified.seconds, status.modified.nanoseconds]
        let changed = [status.changed.seconds, status.changed.nanoseconds]
        words =
            [status.inode] + (fields + changed).map { UInt64(truncatingIfNeeded: $0) } + [Boot.id.high, Boot.id.low]
    }

    /// Decodes the seal from `bytes` of `identity`'s index; `nil` if they are not a seal.
    init?(_ bytes: [UInt8], of identity: CacheIdentity) {
        guard bytes.count == SealRecord.byteCount else { return nil }
        let words = IndexHeader.words(bytes)
        guard words.last == identity.checksum(Array(bytes.dropLast(8))) else { return nil }
        self.words = words.dropLast()
    }

    /// Returns the seal as encoded in `identity`'s index.
    func bytes(for identity: CacheIdentity) -> [UInt8] {
        let bytes = words.flatMap(IndexHeader.bytes)
        return bytes + IndexHeader.bytes(identity.checksum(bytes))
    }
}

/// The current boot of the machine.
private enum Boot {
    /// The kernel's boot ID (random(4)). If it can't be read, a random one that no other process has, so that older
    /// seals aren't trusted.
    static let id: (high: UInt64, low: UInt64) = {
        let file = try? LocalFile("/proc/sys/kernel/random/boot_id", O_RDONLY)
        let digits = ((try? file?.read(64, at: 0)) ?? []).filter { $0 != UInt8(ascii: "-") && $0 > 0x20 }
        let text = String(decoding: digits, as: UTF8.self)
        guard let high = UInt64(text.prefix(16), radix: 16), let low = UInt64(text.dropFirst(16), radix: 16) else {
            return (UInt64.random(in: 0...UInt64.max), UInt64.random(in: 0...UInt64.max))
        }
        return (high, low)
    }()
}
