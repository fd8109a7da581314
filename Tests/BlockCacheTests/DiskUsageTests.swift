import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import BlockCache

@Suite("Disk usage") struct DiskUsageTests {
    /// Calls `body` with the views of two processes on one cache.
    private func withTwo(_ body: (DiskUsage, DiskUsage) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let directory = try CacheDirectory(making: FilePath(directory + "/cache"))
            let other = try CacheDirectory(making: directory.path)
            try body(directory.usage, other.usage)
        }
    }

    @Test func `The disk usage is unknown before a count, and then includes what all processes add and subtract`()
        throws
    {
        try withTwo { one, other throws in
            #expect(try !one.reserve(1, limit: 1 << 40))
            one.correct(counted: 1_000, since: one.account)
            #expect(try other.reserve(500, limit: 1_500))
            #expect(try !one.reserve(1, limit: 1_500))
            other.takeOff(300, since: other.account)
            #expect(one.byteCount == 1_200)
        }
    }

    @Test func `The disk usage is not too small after a count during which as much was added as subtracted`() throws {
        try withTwo { one, other in
            one.correct(counted: 1_000, since: one.account)
            let begin = one.account
            // One file was removed before the count reached it, the other was created behind it.
            other.takeOff(400, since: other.account)
            other.add(400)
            one.correct(counted: 600, since: begin)
            #expect(one.byteCount == 1_000)
        }
    }

    @Test func `The disk usage is not too small if files vanish before a count and are subtracted after it`() throws {
        try withTwo { one, other in
            one.correct(counted: 1_000, since: one.account)
            let before = other.account
            one.correct(counted: 600, since: one.account)
            other.takeOff(400, since: before)
            #expect(one.byteCount == 600)
        }
    }

    @Test(
        "The disk usage is the counted one if another file replaces its record during the count",
        arguments: [0, 8, 24], [0x00, 0x7f, 0xff])
    func otherFile(byteCount: Int, byte: UInt8) throws {
        try withTemporaryDirectory { directory in
            let usage = try CacheDirectory(making: FilePath(directory + "/cache")).usage
            usage.add(1 << 30)
            let begin = usage.account
            try Data(repeating: byte, count: byteCount).write(to: URL(fileURLWithPath: directory + "/cache/usage"))
            usage.correct(counted: 1_000, since: begin)
            #expect(usage.byteCount == 1_000)
        }
    }
}
