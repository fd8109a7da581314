import CFuse
import Glibc
import StateLog

/// Who serves a mount, who sees to it that somebody does, and what became of upgrades.
public struct Supervision: Sendable {
    /// The process that serves the mount.
    public let server: Int32
    /// The process that starts another one when that dies; `nil` where there is none.
    public let supervisor: Int32?
    /// How many upgrades have ended.
    public let upgradeCount: Int
    /// Why the last one failed; `nil` where it didn't.
    public let upgradeFailure: String?
    /// What the server calls its version.
    public let version: String

    /// That of the mount at `path`; `nil` where nobody answers.
    public static func of(mountAt path: String) -> Supervision? {
        guard let directory = try? MountedDirectory(path) else { return nil }
        return try? directory.supervision()
    }

    /// As the server sees it.
    init(of session: FuseSession) {
        server = getpid()
        // A supervisor that has died is nobody's parent.
        supervisor = session.page.flatMap { getppid() == $0.supervisor ? $0.supervisor : nil }
        upgradeCount = Int(clamping: session.page?.upgradeCount ?? 0)
        upgradeFailure = session.page?.upgradeFailure
        version = session.version
    }

    /// As it was passed.
    init(_ passed: tractfs_supervision) {
        server = Int32(truncatingIfNeeded: passed.server)
        supervisor = passed.supervisor == 0 ? nil : Int32(truncatingIfNeeded: passed.supervisor)
        upgradeCount = Int(passed.upgrade_count)
        upgradeFailure = passed.has_failed == 0 ? nil : text(passed.reason, Int(passed.reason_byte_count))
        version = text(passed.version, MemoryLayout.size(ofValue: passed.version))
    }
}

extension tractfs_supervision {
    init(_ supervision: Supervision) {
        self.init()
        server = UInt32(truncatingIfNeeded: supervision.server)
        supervisor = UInt32(truncatingIfNeeded: supervision.supervisor ?? 0)
        upgrade_count = UInt32(truncatingIfNeeded: supervision.upgradeCount)
        has_failed = supervision.upgradeFailure == nil ? 0 : 1
        reason_byte_count = UInt32(fill(&reason, with: supervision.upgradeFailure ?? ""))
        // The last byte stays 0.
        _ = fill(&version, with: String(supervision.version.prefix(31)))
    }
}

/// As many of the bytes of a fixed array as come before `limit` and before a NUL.
private func text(_ array: some BitwiseCopyable, _ limit: Int) -> String {
    withUnsafeBytes(of: array) { String(decoding: $0.prefix(limit).prefix { $0 != 0 }, as: UTF8.self) }
}

/// Copies as much of `text` as there is room for. Returns how many bytes that is.
private func fill(_ array: inout some BitwiseCopyable, with text: String) -> Int {
    withUnsafeMutableBytes(of: &array) { buffer in
        let bytes = text.utf8.prefix(buffer.count)
        buffer.copyBytes(from: bytes)
        return bytes.count
    }
}
