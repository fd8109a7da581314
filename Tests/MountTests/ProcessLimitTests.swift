import Foundation
import ObjectStore
import TestSupport
import Testing

@Suite(mounts) struct ProcessLimitTests {
    private static let byteCount = 300_000
    private static let fileCount = 40

    /// libfuse's 8, the disk's 5, the network's few, and one each for the archive, the kernel's notifications, signals
    /// and the like; never one a reader.
    private static let threadCountMax = 32

    @Test func `A mount has no more threads for many readers than for few`() throws {
        // Forty readers at once: on a busy machine one of them may be served late.
        try withFiles(readTimeout: "20s") { server, mountPoint, process in
            server.setLatency(.milliseconds(20))
            let script = "for i in $(seq 0 39); do cat $0/f$i > /dev/null & done; wait"
            try withTemporaryDirectory { directory in
                let readers = try BackgroundProcess("bash", ["-c", script, mountPoint], outputDirectory: directory)
                defer { readers.end() }
                var threadCount = 0
                try eventually("the end of the readers") {
                    threadCount = max(threadCount, try entries(of: "task", process))
                    return !readers.isRunning
                }
                #expect(readers.errorOutput == "")
                #expect((2...Self.threadCountMax).contains(threadCount))
            }
        }
    }

    @Test func `A mount without free descriptors gives no wrong bytes, and works again with them`() throws {
        try withFiles { _, mountPoint, process in
            let limit = try entries(of: "fd", process) + 1
            try limitDescriptors(of: process, to: limit)
            // What needs another one is done without (the disk cache), or an error.
            #expect(try readAll(mountPoint).wrongCount == 0)
            #expect(try entries(of: "fd", process) <= limit)
            try limitDescriptors(of: process, to: 1_024)
            #expect(try readAll(mountPoint) == (Self.fileCount, 0))
        }
    }

    private func withFiles(
        readTimeout: String = "2s", _ body: (S3TestServer, _ mountPoint: String, _ process: Int32) throws -> Void
    ) throws {
        try withS3TestServer { server in
            for index in 0..<Self.fileCount {
                server.put(Key("f\(index)"), .pattern(seed: UInt64(index), byteCount: Self.byteCount))
            }
            try withMount(of: server, options: ["--read-timeout", readTimeout]) { mountPoint throws in
                try runChecked("ls", [mountPoint])
                try body(server, mountPoint, try #require(MountProcesses(of: mountPoint)).server)
            }
        }
    }

    /// Returns the number of entries in a folder of the process in /proc.
    private func entries(of folder: String, _ process: Int32) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/\(folder)").count
    }

    private func limitDescriptors(of process: Int32, to count: Int) throws {
        try runChecked("prlimit", ["--pid", "\(process)", "--nofile=\(count):4096"])
    }

    /// Reads all files. Returns how many came whole and right, and how many whole and wrong.
    private func readAll(_ mountPoint: String) throws -> (rightCount: Int, wrongCount: Int) {
        var counts = (rightCount: 0, wrongCount: 0)
        for index in 0..<Self.fileCount {
            guard let data = try? Data(contentsOf: URL(filePath: "\(mountPoint)/f\(index)")) else { continue }
            let body = ObjectBody.pattern(seed: UInt64(index), byteCount: Self.byteCount)
            let isRight = data.elementsEqual(body.allBytes)
            if isRight { counts.rightCount += 1 } else { counts.wrongCount += 1 }
        }
        return counts
    }
}
