import ObjectStore
import TestSupport
import Testing

@Suite(mounts) struct CacheMemoryTests {
    private static let fileCount = 8
    private static let fileByteCount = 64 << 20
    private static let limit = 64 << 20
    /// The program itself, stacks, and free memory in the allocator: measured at some 10 MiB.
    private static let programByteCount = 64 << 20

    @Test func `The memory of a mount stays near its limit while many files are read at once`() throws {
        var bodies = BodySource(seed: .random(in: 0...(.max)))
        let body = try bodies.body(byteCount: Self.fileByteCount)
        try withS3TestServer { server in
            for index in 0..<Self.fileCount { server.put(Key("\(index)"), body) }
            try withMount(of: server, options: ["--memory-limit", "64MiB"]) { mountPoint in
                let process = try #require(MountProcesses(of: mountPoint)).server
                try inParallel(Self.fileCount) { try checkWhole("\(mountPoint)/\($0)", body) }
                let byteCount = try peakByteCount(of: process)
                #expect(byteCount <= Self.limit + Self.programByteCount)
                print("peak of \(byteCount >> 20) MiB")
            }
        }
    }
}
