import Foundation
import Glibc
import MountControl
import ObjectStore
import TestSupport
import Testing

/// Disks that are full, slow or broken, and the limit that a cache respects by itself.
@Suite(.serialized, mounts, smallDisks) struct CacheDiskTests {
    /// The size of a small disk, too little for two of the objects.
    private static let diskByteCount = 40 << 20
    private static let objectByteCount = 16 << 20

    @Test func `A cache that fills its disk evicts for the next reads`() throws {
        try withSmallDisk { disk, server, objects, log in
            try withMount(of: server, options: disk.options(log)) { mountPoint in
                for _ in 0..<2 { try checkAll(objects, in: mountPoint) }
            }
            #expect(disk.cache.allocatedByteCount > 1 << 20, "some is cached")
            #expect(troubles(inLog: log).isEmpty, "\(troubles(inLog: log))")
        }
    }

    @Test func `A cache disk that others fill is reported once, and reading goes on`() throws {
        try withSmallDisk { disk, server, objects, log in
            try withMount(of: server, options: disk.options(log)) { mountPoint in
                // Fills the disk: dd fails at its end. Nothing is cached yet, because the cache would evict it for the
                // next reads.
                _ = try run("dd", ["if=/dev/zero", "of=\(disk.path)/others", "bs=1M", "status=none"])
                try checkAll(objects, in: mountPoint)
            }
            #expect(troubles(inLog: log).count == 1, "\(troubles(inLog: log))")
        }
    }

    @Test func `A cache disk that becomes read-only is read, and misses are fetched, with one warning`() throws {
        try withSmallDisk { disk, server, objects, log in
            try withMount(of: server, options: disk.options(log)) { mountPoint in
                try checkWhole(mountPoint + "/0", try #require(objects["0"]))
                try eventually("the object is cached") { disk.cache.isComplete("0") }
            }
            // Only between two mounts: a disk with files that are open for writing can't be made read-only.
            try runChecked("mount", ["-o", "remount,ro", disk.path])
            let cachedLog = log + ".cached"
            try withMount(of: server, options: disk.options(cachedLog)) { mountPoint in
                try checkWhole(mountPoint + "/0", try #require(objects["0"]))
                #expect(server.requests(.get).isEmpty)
                try checkAll(objects, in: mountPoint)
            }
            #expect(troubles(inLog: cachedLog).count == 1, "\(troubles(inLog: cachedLog))")
        }
    }

    @Test func `A cache disk that is detached is used as long as possible`() throws {
        try withSmallDisk { disk, server, objects, log in
            try withMount(of: server, options: disk.options(log)) { mountPoint in
                try checkWhole(mountPoint + "/0", try #require(objects["0"]))
                try runChecked("umount", ["--lazy", disk.path])
                try checkAll(objects, in: mountPoint)
            }
            #expect(troubles(inLog: log).count <= 1, "\(troubles(inLog: log))")
        }
    }

    private static let canMakeExt4 =
        access("/dev/loop-control", R_OK | W_OK) == 0 && access("/usr/sbin/mkfs.ext4", X_OK) == 0

    @Test(.enabled(if: canMakeExt4, "needs loop devices and mkfs.ext4"))
    func `A cache disk that fails is reported once, and reading goes on`() throws {
        try withTemporaryDirectory { directory in
            let (image, disk) = (directory + "/image", SmallDisk(path: directory + "/disk"))
            try runChecked("truncate", ["--size=128M", image])
            try runChecked("/usr/sbin/mkfs.ext4", ["-q", image])
            try disk.mounted("mount", ["-o", "loop", image, disk.path]) {
                try withObjects { server, objects in
                    let log = directory + "/log"
                    try withMount(of: server, options: disk.options(log)) { mountPoint in
                        try checkWhole(mountPoint + "/0", try #require(objects["0"]))
                        try runChecked("python3", ["-c", Self.shutDown, disk.path])
                        try checkAll(objects, in: mountPoint)
                    }
                    #expect(troubles(inLog: log).count == 1, "\(troubles(inLog: log))")
                }
            }
        }
    }

    @Test(.enabled(if: canMakeExt4, "needs loop devices and mkfs.ext4"))
    func `Data that a cache disk has lost is never read, with one warning of each kind`() throws {
        try withTemporaryDirectory { directory in
            // The disk has room, but the file system below it has none, so a write fails later, in the kernel.
            let below = SmallDisk(path: directory + "/below")
            try below.mountedInMemory(byteCount: 20 << 20) {
                let (image, disk) = (below.path + "/image", SmallDisk(path: directory + "/disk"))
                try runChecked("truncate", ["--size=128M", image])
                try runChecked("/usr/sbin/mkfs.ext4", ["-q", "-O", "^has_journal", image])
                try disk.mounted("mount", ["-o", "loop", image, disk.path]) {
                    try withObjects { server, objects in
                        let log = directory + "/log"
                        for _ in 0..<2 {
                            try withMount(of: server, options: disk.options(log)) { try checkAll(objects, in: $0) }
                            // The kernel must read these bytes from the disk.
                            try runChecked("sh", ["-c", "sync -f '\(disk.path)'; echo 1 > /proc/sys/vm/drop_caches"])
                        }
                        #expect(troubles(inLog: log).count <= 4, "\(troubles(inLog: log))")
                    }
                }
            }
        }
    }

    @Test(.enabled(if: canMakeExt4, "needs loop devices and mkfs.ext4"))
    func `A file that was read while its cache disk stood still is wholly on the disk soon after`() throws {
        try withTemporaryDirectory { directory in
            let (image, disk) = (directory + "/image", SmallDisk(path: directory + "/disk"))
            try runChecked("truncate", ["--size=256M", image])
            try runChecked("/usr/sbin/mkfs.ext4", ["-q", image])
            try disk.mounted("mount", ["-o", "loop", image, disk.path]) {
                try withS3TestServer { server in
                    let body = try ObjectBody.random(byteCount: 40 << 20)
                    server.put("a", body)
                    // Room for 16 MiB that wait for the disk.
                    let options = disk.options(directory + "/log") + ["--memory-limit", "64MiB"]
                    try withMount(of: server, options: options) { mountPoint in
                        // Kept open, since an open updates the last use on the disk.
                        try withOpenFile(mountPoint + "/a") { file in
                            try file.check(0..<1, body, of: "a")
                            try eventually("the files of the cache") { disk.cache.dataFile(of: "a") != nil }
                            try disk.frozen { try checkWhole(mountPoint + "/a", body) }
                        }
                        try eventually("the object is cached") { disk.cache.isComplete("a") }
                        let status = try runChecked(tractfsExecutable(), ["status", "--json", mountPoint])
                        let cache = try #require(MountStatus(parsing: status)?.diskCache)
                        #expect(cache.skippedBytes ?? 0 > 8 << 20 && cache.storedLaterBytes ?? 0 > 0)
                        server.clearLog()
                        try checkWhole(mountPoint + "/a", body)
                        #expect(server.requests(.get).isEmpty)
                    }
                    #expect(troubles(inLog: directory + "/log").isEmpty)
                }
            }
        }
    }

    /// Has ext4 answer EIO to everything from now on, as if the disk were pulled out: EXT4_IOC_SHUTDOWN without
    /// flushing the journal.
    private static let shutDown = """
        import fcntl, os, struct, sys
        fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack("I", 2))
        """

    /// Calls `body` with a disk, a server of objects that don't all fit on it, and where a log may go.
    private func withSmallDisk(
        _ body: (SmallDisk, S3TestServer, [Key: ObjectBody], String) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let disk = SmallDisk(path: directory + "/disk")
            try disk.mountedInMemory(byteCount: Self.diskByteCount) {
                try withObjects { try body(disk, $0, $1, directory + "/log") }
            }
        }
    }

    private func withObjects(_ body: (S3TestServer, [Key: ObjectBody]) throws -> Void) throws {
        var bodies = BodySource(seed: .random(in: 0...(.max)))
        var objects: [Key: ObjectBody] = [:]
        for index in 0..<4 { objects[Key("\(index)")] = try bodies.body(byteCount: Self.objectByteCount) }
        objects["small"] = try bodies.body(byteCount: 300_000)
        try withS3TestServer { server in
            for (key, body) in objects { server.put(key, body) }
            try body(server, objects)
        }
    }
}
