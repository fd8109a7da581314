import Glibc
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import BlockCache

@Suite("Disk cache: file systems that machines share") struct CacheFileSystemTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let magic: UInt32
        let type: String?
        var options: Set<String> = ["rw"]
        let isShared: Bool
        let hasSharedLocks: Bool

        var testDescription: String { "\(type ?? String(magic, radix: 16)) \(options.sorted())" }
    }

    private static let nfs: UInt32 = 0x6969
    private static let lustre: UInt32 = 0x0BD0_0BD0
    private static let fuse: UInt32 = 0x6573_5546

    @Test(arguments: [
        Case(magic: 0xEF53, type: "ext4", isShared: false, hasSharedLocks: true),
        Case(magic: 0x0102_1994, type: "tmpfs", isShared: false, hasSharedLocks: true),
        Case(magic: 0x794C_7630, type: "overlay", isShared: false, hasSharedLocks: true),
        Case(magic: 1, type: nil, isShared: false, hasSharedLocks: true),
        Case(magic: nfs, type: "nfs4", options: ["rw", "local_lock=none"], isShared: true, hasSharedLocks: true),
        Case(magic: nfs, type: nil, isShared: true, hasSharedLocks: true),
        // Locks of flock(2) alone; ours are fcntl(2)'s.
        Case(magic: nfs, type: "nfs", options: ["rw", "local_lock=flock"], isShared: true, hasSharedLocks: true),
        Case(magic: nfs, type: "nfs", options: ["nolock", "local_lock=all"], isShared: true, hasSharedLocks: false),
        Case(magic: nfs, type: "nfs", options: ["local_lock=posix"], isShared: true, hasSharedLocks: false),
        Case(magic: lustre, type: "lustre", options: ["rw", "flock"], isShared: true, hasSharedLocks: true),
        Case(magic: lustre, type: "lustre", options: ["rw", "localflock"], isShared: true, hasSharedLocks: false),
        Case(magic: lustre, type: "lustre", isShared: true, hasSharedLocks: false),
        Case(magic: 0xFE53_4D42, type: "cifs", isShared: true, hasSharedLocks: true),
        Case(magic: 0xFE53_4D42, type: "smb3", options: ["nobrl"], isShared: true, hasSharedLocks: false),
        Case(magic: 0x1983_0326, type: "beegfs", isShared: true, hasSharedLocks: false),
        Case(magic: 0x00C3_6400, type: "ceph", isShared: true, hasSharedLocks: true),
        Case(magic: 0x4750_4653, type: "gpfs", isShared: true, hasSharedLocks: true),
        Case(magic: 0x0102_1997, type: "9p", isShared: true, hasSharedLocks: false),
        Case(magic: fuse, type: "fuse.sshfs", isShared: true, hasSharedLocks: false),
        Case(magic: fuse, type: "virtiofs", isShared: true, hasSharedLocks: false),
        Case(magic: fuse, type: nil, isShared: true, hasSharedLocks: false),
        Case(magic: fuse, type: "fuseblk", isShared: false, hasSharedLocks: true),
        Case(magic: fuse, type: "fuse.fuse-overlayfs", isShared: false, hasSharedLocks: true),
    ])
    func `A shared file system is recognized by its type, and its locks by type and options`(given: Case) {
        let fileSystem = CacheFileSystem(magic: given.magic, mount: given.type.map { ($0, given.options) })
        #expect(fileSystem.isShared == given.isShared)
        #expect(fileSystem.hasSharedLocks == given.hasSharedLocks)
        if let type = given.type { #expect(fileSystem.type == type) }
    }

    @Test func `The file system of a local folder is found in the mount table`() throws {
        let folder = try LocalFile("/proc", O_RDONLY | O_DIRECTORY)
        #expect(CacheFileSystem(of: folder).type == "proc")
        #expect(!CacheFileSystem(of: folder).isShared)
    }
}

@Suite("Disk cache: the lock of a machine") struct MachineLockTests {
    private func withFolder(_ body: (LocalFile) throws -> Void) throws {
        try withTemporaryDirectory { try body(LocalFile($0, O_RDONLY | O_DIRECTORY)) }
    }

    @Test func `The processes of one machine share a cache directory, and exclude other machines until all have ended`()
        throws
    {
        try withFolder { folder in
            let (this, other) = (Array("this".utf8), Array("other machine".utf8))
            var locks = [try MachineLock(in: folder, machine: this), try MachineLock(in: folder, machine: this)]
            while !locks.isEmpty {
                #expect(throws: Errno.resourceTemporarilyUnavailable) { try MachineLock(in: folder, machine: other) }
                locks.removeLast()
            }
            let taken = try MachineLock(in: folder, machine: other)
            #expect(throws: Errno.resourceTemporarilyUnavailable) { try MachineLock(in: folder, machine: this) }
            withExtendedLifetime(taken) {}
        }
    }

    @Test func `All processes of one machine that start at the same time get the lock of a machine`() throws {
        try withFolder { folder in
            let locks = Mutex<[MachineLock]>([])
            try inParallel(16) { _ in
                let lock = try MachineLock(in: folder, machine: Array("this".utf8))
                locks.withLock { $0.append(lock) }
            }
            #expect(locks.withLock(\.count) == 16)
        }
    }
}
