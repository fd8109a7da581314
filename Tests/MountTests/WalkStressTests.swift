import Foundation
import ObjectStore
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Walks that are complete and exact while everything else happens on the same mount.
@Suite(.serialized, mounts) struct WalkStressTests {
    /// A name of folders whose objects come and go meanwhile: in the bucket's root, and between stable folders.
    private static let changing = "changing"
    private static let tree = WalkTree.subjects(3).with(.oddities(below: "101308/T1w/odd/"))
    /// Far more than needed, and far less than all listings of that time.
    private static let memoryByteLimit = 512 << 20

    /// `TRACTFS_STRESS` seconds; without it, a minute where CI is, and a few seconds elsewhere.
    private static let duration: Duration = {
        let environment = ProcessInfo.processInfo.environment
        if let seconds = environment["TRACTFS_STRESS"].flatMap(Int.init) { return .seconds(seconds) }
        return .seconds(environment["CI"] == "true" ? 60 : 6)
    }()

    @Test(arguments: [["--metadata-ttl", "1s"], ["--metadata-ttl", "1h", "--metadata-limit", "8MiB"]])
    func `Walks of all tools at once are exact during lookups, expiries, refreshes and changes`(
        options: [String]
    ) throws {
        let seed = UInt64.random(in: 0...(.max))
        print("seed \(seed)")
        try withS3TestServer(pageLimit: 300) { server in
            Self.tree.put(into: server)
            server.setLatency(.milliseconds(1))
            try WalkTools.with(Self.tree) { tools in
                try withMount(of: server, options: options) { mountPoint in
                    let process = try #require(MountProcesses(of: mountPoint)).server
                    let stress = Stress(
                        server: server, mountPoint: mountPoint, tools: tools, end: .now + Self.duration / 2, seed: seed)
                    try stress.runAll()
                    #expect(try peakByteCount(of: process) <= Self.memoryByteLimit)
                }
            }
        }
    }

    /// All walks and changes, each on a thread of its own.
    private struct Stress: Sendable {
        let server: S3TestServer
        let mountPoint: String
        let tools: WalkTools
        let end: ContinuousClock.Instant
        let seed: UInt64
        typealias Work = @Sendable () throws -> Void
        /// The stable files, with their sizes, and folders.
        let entries = tree.entries

        func runAll() throws {
            let walks: [Work] = WalkTools.names.map { tool in
                { try tools.expectExact(tool, at: mountPoint, changing: changing) }
            }
            let subjects = (0..<3).map { String(100_307 + $0 * 1_001) }
            let walksOfSubjects: [Work] = ["find-size", "ls-lR", "os-fwalk"].enumerated().map { index, tool in
                { try tools.expectExact(tool, at: mountPoint, below: subjects[index], changing: changing) }
            }
            let others =
                [1, 2].map { lookUpStable(seed: seed &+ $0) } + [
                    lookUpAbsent(seed: seed), change(seed: seed), refresh(seed: seed),
                ]
            let all = walks + walksOfSubjects + others
            let roundCounts = Mutex(Array(repeating: 0, count: all.count))
            try inParallel(all.count) { index in
                repeat {
                    try all[index]()
                    roundCounts.withLock { $0[index] += 1 }
                } while ContinuousClock.now < end
            }
            print("rounds: \(roundCounts.withLock { $0 }), requests: \(server.log.count)")
        }

        /// Looks at 100 entries that are there.
        private func lookUpStable(seed: UInt64) -> Work {
            let random = Mutex(SeededGenerator(seed: seed))
            return {
                for _ in 0..<100 {
                    guard let entry = random.withLock({ entries.randomElement(using: &$0) }) else { return }
                    let status = try status(of: entry.path)
                    #expect(status.isFolder == (entry.byteCount == nil), "\(entry.path)")
                    if let byteCount = entry.byteCount { #expect(status.byteCount == byteCount, "\(entry.path)") }
                }
            }
        }

        /// Looks at 100 names that are not there, beside those that are.
        private func lookUpAbsent(seed: UInt64) -> Work {
            let random = Mutex(SeededGenerator(seed: ~seed))
            return {
                for _ in 0..<100 {
                    guard let entry = random.withLock({ entries.randomElement(using: &$0) }) else { return }
                    if entry.path.utf8.count > 200 { continue }
                    let path = entry.path + (entry.byteCount == nil ? "/layout_config.json" : ".json")
                    #expect(errno { try status(of: path) } == .noSuchFileOrDirectory, "\(path)")
                }
            }
        }

        /// Refreshes a folder, or the folder of a file.
        private func refresh(seed: UInt64) -> Work {
            let random = Mutex(SeededGenerator(seed: seed &* 5))
            return {
                guard let entry = random.withLock({ entries.randomElement(using: &$0) }) else { return }
                try runChecked(tractfsExecutable(), ["refresh", mountPoint + "/" + entry.path])
            }
        }

        /// Makes objects appear and vanish, and reads one of those folders.
        private func change(seed: UInt64) -> Work {
            let random = Mutex(SeededGenerator(seed: seed &* 3))
            let places = ["", "100307/", "101308/T1w/", "102309/MNINonLinear/Results/"].map { $0 + changing }
            return {
                for _ in 0..<20 {
                    let (place, name) = random.withLock { random in
                        (places.randomElement(using: &random) ?? changing, Int.random(in: 0..<400, using: &random))
                    }
                    let key = Key("\(place)/folder-\(name % 7)/file-\(name)")
                    if server.contents[key] == nil { server.put(key, .text("x")) } else { server.delete(key) }
                }
                // The folder may come and go as a whole.
                _ = try run("find", [mountPoint + "/" + (places.randomElement() ?? changing)])
            }
        }

        private func status(of path: String) throws -> (isFolder: Bool, byteCount: Int) {
            var status = stat()
            guard lstat(mountPoint + "/" + path, &status) == 0 else { throw Errno(rawValue: Foundation.errno) }
            return (status.st_mode & S_IFMT == S_IFDIR, Int(status.st_size))
        }
    }
}
