import Foundation
import Glibc
import TestSupport
import Testing

/// For tests that mount disks of their own.
let smallDisks = MountCondition(if: geteuid() == 0, "needs root, to mount small disks")

/// A disk of a test's own, with a cache on it. Needs root.
struct SmallDisk {
    let path: String

    var cache: TestCache { TestCache(path: path + "/cache") }

    /// The options of a mount that uses the cache and logs there.
    func options(_ log: String) -> [String] { cache.options + ["--log-file", log] }

    /// The number of bytes in use, by the file system's own account.
    var usedByteCount: Int {
        var status = statvfs()
        return statvfs(path, &status) == 0 ? Int((status.f_blocks - status.f_bfree) * status.f_frsize) : 0
    }

    /// Mounts a disk in memory that holds `byteCount` bytes, and detaches it whatever `body` does.
    func mountedInMemory(byteCount: Int, _ body: () throws -> Void) throws {
        try mounted("mount", ["-t", "tmpfs", "-o", "size=\(byteCount)", "none", path], body)
    }

    /// Lets all writes to the disk wait while `body` runs (fsfreeze(8)).
    func frozen(_ body: () throws -> Void) throws {
        try runChecked("fsfreeze", ["--freeze", path])
        let result = Result { try body() }
        try runChecked("fsfreeze", ["--unfreeze", path])
        try result.get()
    }

    /// Mounts the disk on its path by this command, and detaches it whatever `body` does.
    func mounted(_ command: String, _ arguments: [String], _ body: () throws -> Void) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        try runChecked(command, arguments)
        let result = Result { try body() }
        if isMounted(path) { try runChecked("umount", ["--lazy", path]) }
        try result.get()
    }
}
