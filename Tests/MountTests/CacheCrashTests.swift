import Glibc
import ObjectStore
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Mounts that are killed while they fill a cache. The next user of the cache gets no wrong byte.
@Suite(.serialized, mounts) struct CacheCrashTests {
    private static let seed = UInt64.random(in: 0...(.max))
    /// The number of moments.
    private static let killCount = 50
    /// The smallest size, so that blocks are evicted.
    private static let cacheSize = ["--cache-size", "64MiB"]

    @Test func `The cache of a mount that was killed at any of 50 moments has only right bytes for the next`() throws {
        print("seed \(Self.seed)")
        var generator = SeededGenerator(seed: Self.seed)
        var bodies = BodySource(seed: generator.next())
        var (checkedByteCount, fetchedByteCount) = (0, 0)
        try withTemporaryDirectory { directory in
            // The listings of an earlier mount do not have the objects that come while nothing is mounted.
            let options = TestCache(path: directory + "/cache").options + Self.cacheSize + ["--metadata-ttl", "0s"]
            try withS3TestServer { server in
                // The objects that the last mount was reading when it was killed.
                var left: [Key: ObjectBody] = [:]
                for round in 0...Self.killCount {
                    let next = try Self.objects(named: "round \(round)", &bodies, &generator)
                    for (key, body) in next { server.put(key, body) }
                    try withMount(of: server, options: options) { mountPoint in
                        try Self.checkSome(of: left, in: mountPoint, all: round % 5 == 0, &generator)
                        fetchedByteCount += server.requests(.get).reduce(0) { $0 + $1.sentByteCount }
                        checkedByteCount += left.values.reduce(0) { $0 + $1.byteCount }
                        for key in left.keys { server.delete(key) }
                        if round < Self.killCount { try Self.killWhileReading(next, at: mountPoint, &generator) }
                    }
                    left = next
                }
            }
        }
        #expect(fetchedByteCount < checkedByteCount, "the caches that were left behind are of use")
    }

    @Test func `Another mount reads right bytes from a cache while a mount that shares it is killed`() throws {
        print("seed \(Self.seed)")
        var generator = SeededGenerator(seed: Self.seed)
        var bodies = BodySource(seed: generator.next())
        for _ in 0..<3 {
            let objects = try Self.objects(named: "shared", &bodies, &generator)
            try withTemporaryDirectory { directory in
                let options = TestCache(path: directory + "/cache").options + Self.cacheSize
                try withS3TestServer { server in
                    for (key, body) in objects { server.put(key, body) }
                    try withMount(of: server, options: options) { survivor in
                        let seed = generator.next()
                        try withMount(of: server, options: options) { victim in
                            try Readers(of: objects, in: survivor, seed: seed).whileReading {
                                try Self.killWhileReading(objects, at: victim, &generator)
                            }
                        }
                        try checkAll(objects, in: survivor)
                    }
                    try withMount(of: server, options: options) { try checkAll(objects, in: $0) }
                }
            }
        }
    }

    /// Some small objects, which are cached as they are opened, and bigger ones; sometimes one that is most of the
    /// cache.
    private static func objects(
        named name: String, _ bodies: inout BodySource, _ generator: inout SeededGenerator
    ) throws -> [Key: ObjectBody] {
        var byteCounts = (0..<6).map { _ in Int.random(in: 1...300_000, using: &generator) }
        byteCounts += (0..<2).map { _ in Int.random(in: 1 << 20...5 << 20, using: &generator) }
        if Int.random(in: 0..<5, using: &generator) == 0 { byteCounts.append(40 << 20) }
        return try Dictionary(
            uniqueKeysWithValues: byteCounts.enumerated().map { index, byteCount in
                (Key("\(name) \(index)"), try bodies.body(byteCount: byteCount))
            })
    }

    private static func checkSome(
        of objects: [Key: ObjectBody], in mountPoint: String, all: Bool, _ generator: inout SeededGenerator
    ) throws {
        if all { return try checkAll(objects, in: mountPoint) }
        for (key, body) in objects.sorted(by: { $0.key < $1.key }) {
            try checkRandomPieces("\(mountPoint)/\(key)", body, count: 8, using: &generator)
        }
    }

    /// Has the mount's files read, some front to back and some at random, and kills the mount at a random moment.
    private static func killWhileReading(
        _ objects: [Key: ObjectBody], at mountPoint: String, _ generator: inout SeededGenerator
    ) throws {
        let processes = try #require(MountProcesses(of: mountPoint))
        let byteCount = objects.values.reduce(0) { $0 + $1.byteCount }
        let moment = Int.random(in: 0...byteCount, using: &generator)
        // The cache writes a block some milliseconds after the read.
        let pause = UInt32.random(in: 0...20_000, using: &generator)
        let readers = Readers(of: objects, in: mountPoint, seed: generator.next())
        try readers.whileReading {
            try eventually("the moment to kill") { readers.readByteCount >= moment }
            usleep(pause)
            readers.allowErrors()
            processes.killBoth()
        }
        try eventually("the end of \(processes)") { TestSupport.processes(withArgument: mountPoint).isEmpty }
    }
}

/// Threads that read the files of a mount again and again, and check every byte.
private final class Readers: Sendable {
    private static let threadCount = 3
    private static let pieceByteCount = 512 << 10

    private let files: [(path: String, body: ObjectBody)]
    private let seed: UInt64
    private let byteCount = Atomic<Int>(0)
    private let isEnding = Atomic<Bool>(false)
    private let mayFail = Atomic<Bool>(false)

    init(of objects: [Key: ObjectBody], in mountPoint: String, seed: UInt64) {
        files = objects.sorted { $0.key < $1.key }.map { ("\(mountPoint)/\($0.key)", $0.value) }
        self.seed = seed
    }

    /// The number of bytes that all readers have read.
    var readByteCount: Int { byteCount.load(ordering: .relaxed) }

    /// From now on a read may fail; the thread that meets that ends.
    func allowErrors() {
        mayFail.store(true, ordering: .sequentiallyConsistent)
    }

    /// Reads while `body` runs. Throws if a read gave wrong bytes.
    func whileReading(_ body: () throws -> Void) throws {
        let threads = TestThreads(Self.threadCount) { [self] index in
            var generator = SeededGenerator(seed: seed &+ UInt64(index))
            do {
                while !isEnding.load(ordering: .relaxed) { try readOne(&generator) }
            } catch let error as Errno {
                guard mayFail.load(ordering: .sequentiallyConsistent) else { throw error }
            }
        }
        let result = Result { try body() }
        isEnding.store(true, ordering: .relaxed)
        try threads.wait()
        try result.get()
    }

    /// Reads one of the files, as a whole or at random places.
    private func readOne(_ generator: inout SeededGenerator) throws {
        guard let (path, body) = files.randomElement(using: &generator) else { return }
        let isSequential = Bool.random(using: &generator)
        try withOpenFile(path) { file in
            var start = 0
            for _ in 0..<(body.byteCount + Self.pieceByteCount - 1) / Self.pieceByteCount {
                if isEnding.load(ordering: .relaxed) { return }
                if !isSequential { start = Int.random(in: 0..<body.byteCount, using: &generator) }
                let range = start..<min(start + Self.pieceByteCount, body.byteCount)
                try file.check(range, body, of: path)
                byteCount.add(range.count, ordering: .relaxed)
                start = range.upperBound
            }
        }
    }
}
