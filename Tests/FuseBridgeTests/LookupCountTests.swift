import Foundation
import Namespace
import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// The inodes that this process keeps must be those that the kernel knows: one too few is an error for a program that
/// uses it, one too many is never freed.
@Suite(
    "Lookup counts", .serialized, mounts,
    .enabled(if: access("/proc/sys/vm/drop_caches", W_OK) == 0, "needs root, to empty the kernel's caches"))
struct LookupCountTests {
    private static let folderCount = 40
    private static let fileCount = 30

    /// A store with nested folders of files.
    private static func store() -> InMemoryStore {
        var bodies: [Key: ObjectBody] = [:]
        for folder in 0..<folderCount {
            for file in 0..<fileCount {
                bodies[Key("s-\(folder % 8)/d-\(folder)/f-\(file)")] = .text("\(folder) \(file)")
            }
        }
        let store = InMemoryStore(pageLimit: 100)
        store.put(bodies)
        return store
    }

    /// Makes the kernel forget all unused names and inodes. The number is that of `/proc/sys/vm/drop_caches`, proc(5).
    private func emptyKernelCaches() throws {
        let file = try FileDescriptor.open("/proc/sys/vm/drop_caches", .writeOnly)
        _ = try file.closeAfter { try file.writeAll("2\n".utf8) }
    }

    /// Waits until this process knows `count` inodes, including the root; the kernel sends FUSE_FORGET asynchronously.
    private func expectInodeCount(_ count: Int, of mount: ServedMount) throws {
        try eventually("\(count) inodes (there are \(mount.namespace.inodeCount))") {
            try emptyKernelCaches()
            return mount.namespace.inodeCount == count
        }
    }

    private static let walks = [
        "find \"$0\" -size +1", "ls -lR \"$0\"", "ls -R \"$0\"", "du -a \"$0\"", "tar cf /dev/null \"$0\"",
        "cat \"$0\"/s-*/d-*/f-1*", "stat \"$0\"/s-1/none \"$0\"/s-1/d-1/f-1/none \"$0\"/s-1/d-1/f-1",
        "python3 -c 'import os, sys; list(os.fwalk(sys.argv[1]))' \"$0\"",
    ]

    @Test(arguments: walks)
    func `lookup counts are those of the root after the kernel has forgotten a walk`(walk: String) throws {
        try withServedMount(of: Self.store()) { mount in
            for _ in 0..<3 {
                _ = try run("bash", ["-c", walk, mount.path])
                try expectInodeCount(1, of: mount)
            }
        }
    }

    @Test func `lookup counts grow with the kernel's lookups, and no more`() throws {
        try withServedMount(of: Self.store()) { mount in
            for _ in 0..<3 { try runChecked("find", [mount.path, "-size", "+1"]) }
            #expect(mount.namespace.inodeCount <= 1 + 8 + Self.folderCount * (1 + Self.fileCount))
            try expectInodeCount(1, of: mount)
        }
    }

    @Test func `open files and their folders keep their inodes`() throws {
        try withServedMount(of: Self.store()) { mount in
            let file = try open(mount.path + "/s-1/d-1/f-1")
            let folder = try open(mount.path + "/s-2/d-2")
            try runChecked("find", [mount.path, "-size", "+1"])
            // The root, s-1, d-1, f-1, s-2, d-2.
            try expectInodeCount(6, of: mount)
            #expect(try bytes(of: file) == Array("1 1".utf8))
            #expect(
                try FileManager.default.contentsOfDirectory(
                    atPath: "/proc/self/fd/\(folder.rawValue)"
                ).count == Self.fileCount)
            try file.close()
            try folder.close()
            try expectInodeCount(1, of: mount)
        }
    }

    @Test(arguments: [TimeToLive.forever, .limited(.milliseconds(20))])
    func `lookup counts are exact after concurrent walks, whether or not listings expire`(timeToLive: TimeToLive) throws
    {
        try withServedMount(of: Self.store(), timeToLive: timeToLive) { mount in
            let script = Self.walks.map { "for i in 1 2 3; do \($0) > /dev/null 2>&1; done &" }
            for _ in 0..<3 {
                try runChecked("bash", ["-c", script.joined(separator: "\n") + "\nwait", mount.path])
                try emptyKernelCaches()
            }
            try expectInodeCount(1, of: mount)
        }
    }

    @Test func `lookup counts are exact if objects are overwritten and deleted between walks`() throws {
        let store = Self.store()
        try withServedMount(of: store, timeToLive: .limited(.milliseconds(20))) { mount in
            for round in 0..<5 {
                try runChecked("bash", ["-c", "find \"$0\" -size +1; ls -lR \"$0\"", mount.path])
                for file in 0..<Self.fileCount { store.put(Key("s-1/d-1/f-\(file)"), .text("round \(round)")) }
                store.delete(Key("s-2/d-2/f-\(round)"))
                store.put(Key("s-3/d-3/f-\(round)/now-a-folder"), .text("x"))
            }
            try expectInodeCount(1, of: mount)
        }
    }
}
