import Foundation
import SystemPackage
import TestSupport
import Testing

@testable import BlockCache

@Suite("Disk usage") struct DiskUsageTests {
    /// Two processes' view of one cache.
    private func withTwo(_ body: (DiskUsage, DiskUsage) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let directory = try CacheDirectory(making: FilePath(directory + "/cache"))
            let other = try CacheDirectory(making: directory.path)
            try body(directory.usage, other.usage)
        }
    }

    @Test func `is unknown before it is counted, and then what all have added and removed`() throws {
        try withTwo { one, other throws in
            #expect(try !one.reserve(1, limit: 1 << 40))
            one.correct { 1_000 }
            #expect(try other.reserve(500, limit: 1_500))
            #expect(try !one.reserve(1, limit: 1_500))
            other.takeOff(300, ifNotCountedSince: other.countNumber)
            #expect(one.byteCount == 1_200)
        }
    }

    @Test func `is not too small after a count in which as much was added as removed`() throws {
        try withTwo { one, other in
            one.correct { 1_000 }
            one.correct {
                // The one was removed before the count came to it, and the other made where it had been already.
                other.takeOff(400, ifNotCountedSince: other.countNumber)
                other.add(400)
                return 600
            }
            #expect(one.byteCount == 1_000)
        }
    }

    @Test func `is not too small after a count that found gone what is taken off after it`() throws {
        try withTwo { one, other in
            one.correct { 1_000 }
            let countNumber = other.countNumber
            one.correct { 600 }
            other.takeOff(400, ifNotCountedSince: countNumber)
            #expect(one.byteCount == 600)
        }
    }

    @Test(arguments: [0, 7, 16, 24])
    func `is unknown where the file holds noise`(byteCount: Int) throws {
        try withTemporaryDirectory { directory in
            let noise = [UInt8](repeating: 0xff, count: byteCount)
            try noise.withUnsafeBytes { try Data($0).write(to: URL(fileURLWithPath: directory + "/usage")) }
            #expect(chmod(directory, 0o700) == 0)
            let usage = try CacheDirectory(opening: FilePath(directory)).usage
            #expect(try !usage.reserve(1, limit: 1 << 40))
            usage.add(1 << 20)
            usage.correct { 1_000 }
            #expect(usage.byteCount == 1_000)
        }
    }
}
