import Foundation
import ObjectStore
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// `--cache-size`, while more is read than fits and the size of the disk is measured all the time. The cache has a disk
/// of its own, which knows its size at one moment, but includes files that are being removed. The sum of the files does
/// not include these, but takes time, in which files come and go. So the smaller of both is the size.
@Suite(.serialized, mounts, smallDisks) struct CacheSizeTests {
    private static let byteLimit = 64 << 20

    @Test(
        "The cache exceeds --cache-size by at most a twentieth, whatever is read",
        arguments: [(objects: 12, mounts: 1), (objects: 1, mounts: 1), (objects: 12, mounts: 2)])
    func limit(counts: (objects: Int, mounts: Int)) throws {
        var bodies = BodySource(seed: .random(in: 0...(.max)))
        var objects: [Key: ObjectBody] = [:]
        for index in 0..<counts.objects {
            objects[Key("\(index)")] = try bodies.body(byteCount: 3 * Self.byteLimit / counts.objects)
        }
        try withDisk { disk, server in
            for (key, body) in objects { server.put(key, body) }
            try withMounts(counts.mounts, of: server, options: Self.options(disk)) { mountPoints in
                let objects = objects
                try inParallel(mountPoints.count) { try checkAll(objects, in: mountPoints[$0]) }
            }
        }
    }

    /// Open files are not evicted, and backing files least of all.
    @Test func `The cache stays within --cache-size while nearly all of it is open`() throws {
        var bodies = BodySource(seed: .random(in: 0...(.max)))
        let objects = try (0..<8).map { _ in try bodies.body(byteCount: Self.byteLimit / 4 - 1 << 20) }
        try withDisk { disk, server in
            for (index, body) in objects.enumerated() { server.put(Key("\(index)"), body) }
            try withMount(of: server, options: Self.options(disk)) { mountPoint in
                for index in 0..<4 { try checkWhole("\(mountPoint)/\(index)", objects[index]) }
            }
            try withMount(of: server, options: Self.options(disk)) { mountPoint in
                let files = try (0..<4).map {
                    try FileDescriptor.open("\(mountPoint)/\($0)", .readOnly, options: .closeOnExec)
                }
                defer { for file in files { try? file.close() } }
                for index in 4..<8 { try checkWhole("\(mountPoint)/\(index)", objects[index]) }
                for (file, body) in zip(files, objects) {
                    try file.check(0..<body.byteCount, body, of: "an open file")
                }
            }
        }
    }

    private static func options(_ disk: SmallDisk) -> [String] {
        disk.cache.options + ["--cache-size", "\(byteLimit >> 20)MiB"]
    }

    /// Calls `body`, and expects that the cache on the disk keeps its limit all the time.
    private func withDisk(_ body: (SmallDisk, S3TestServer) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let disk = SmallDisk(path: directory + "/disk")
            try disk.mountedInMemory(byteCount: 4 * Self.byteLimit) {
                let watch = SizeWatch(of: disk)
                let result = Result { try withS3TestServer { try body(disk, $0) } }
                let byteCountMax = watch.end()
                try result.get()
                #expect(byteCountMax <= Self.byteLimit + Self.byteLimit / 20)
                #expect(byteCountMax > Self.byteLimit / 2, "it was made use of")
                #expect(disk.usedByteCount <= Self.byteLimit + Self.byteLimit / 20)
            }
        }
    }
}

/// A thread that measures the size of a disk until it ends.
private final class SizeWatch: Sendable {
    private let isEnding = Atomic<Bool>(false)
    private let byteCountMax = Mutex(0)
    private let ended = DispatchSemaphore(value: 0)

    init(of disk: SmallDisk) {
        Thread.detachNewThread { [self] in
            while !isEnding.load(ordering: .relaxed) {
                let byteCount = min(disk.usedByteCount, disk.cache.allocatedByteCount)
                byteCountMax.withLock { $0 = max($0, byteCount) }
                // A pause that makes some thousand measurements at little cost.
                usleep(2_000)
            }
            ended.signal()
        }
    }

    /// Ends the thread, and returns the largest size.
    func end() -> Int {
        isEnding.store(true, ordering: .relaxed)
        ended.wait()
        return byteCountMax.withLock { $0 }
    }
}
