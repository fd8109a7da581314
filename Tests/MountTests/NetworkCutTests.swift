import Foundation
import ObjectStore
import Synchronization
import SystemPackage
import TestSupport
import Testing

/// Mounts whose network fails silently: packets are dropped, and nothing is refused.
@Suite(
    .serialized, mounts,
    .enabled(if: NetworkLine.isAvailable, Comment(rawValue: NetworkLine.missing)))
struct NetworkCutTests {
    private static let largeByteCount = 6 << 20
    private static let largeCount = 16

    /// Some seconds, or five minutes with `TRACTFS_STRESS`.
    private var seconds: Int { isStressed ? 300 : 7 }
    private var isStressed: Bool { ProcessInfo.processInfo.environment["TRACTFS_STRESS"] != nil }

    /// A mount over a line, with a folder that is known and a file of it that is cached.
    private func withMountOverLine(_ test: (NetworkLine, String, ObjectBody) throws -> Void) throws {
        try withNetworkLine { line in
            try withS3TestServer(line: line) { server in
                let body = try ObjectBody.random(byteCount: Self.largeByteCount)
                for index in 0..<Self.largeCount { server.put(Key("known/\(index)"), body) }
                server.put("known/cached", .text("cached"))
                server.put("cold/name", .text("x"))
                let options = ["--endpoint-url", server.endpointURL, "--read-timeout", "3s", "--metadata-ttl", "1h"]
                try withMount(
                    uri: "s3://\(server.bucket)", options: options, environment: environmentWithKeys,
                    launcher: line.clientLauncher
                ) { mountPoint in
                    try runChecked("ls", ["-l", mountPoint + "/known"])
                    try runChecked("cat", [mountPoint + "/known/cached"])
                    try test(line, mountPoint, body)
                }
            }
        }
    }

    @Test func `Without a network reads fail in time and cached files work; later all works again`() throws {
        try withMountOverLine { line, mountPoint, body in
            let expected = body.allBytes
            let isOver = Atomic<Bool>(false)
            let isCut = Atomic<Bool>(false)
            let failureCount = Atomic<Int>(0)
            let load = TestThreads(4) { index in
                var generator = SeededGenerator(seed: UInt64(index))
                while !isOver.load(ordering: .relaxed) {
                    let start = Int.random(in: 0..<Self.largeByteCount - 100_000, using: &generator)
                    // Nothing of these files is cached when the network fails.
                    let isWarm = !isCut.load(ordering: .relaxed)
                    let files = isWarm ? 0..<Self.largeCount / 2 : Self.largeCount / 2..<Self.largeCount
                    let path = mountPoint + "/known/\(Int.random(in: files, using: &generator))"
                    do {
                        let bytes = try withOpenFile(path) { try $0.bytes(in: start..<start + 100_000) }
                        expectSame(bytes, Array(expected[start..<start + 100_000]))
                    } catch is Errno {
                        failureCount.add(1, ordering: .relaxed)
                    }
                }
            }
            defer { isOver.store(true, ordering: .relaxed) }
            try line.cut()
            isCut.store(true, ordering: .relaxed)
            let end = ContinuousClock.now + .seconds(seconds)
            repeat {
                #expect(try runChecked("cat", [mountPoint + "/known/cached"], timeout: .seconds(30)) == "cached")
                #expect(try runChecked("ls", [mountPoint + "/known"], timeout: .seconds(30)).contains("cached"))
                let cold = try run("ls", [mountPoint + "/cold"], timeout: .seconds(30))
                #expect(cold.status != 0, "\(cold)")
            } while ContinuousClock.now < end
            try eventually("a read that fails") { failureCount.load(ordering: .relaxed) > 0 }
            try line.restore()
            // Ten seconds on a machine that has nothing else to do.
            try eventually("a folder that was never seen", within: .seconds(isStressed ? 10 : 30)) {
                try run("ls", [mountPoint + "/cold"]).output == "name\n"
            }
            isOver.store(true, ordering: .relaxed)
            try load.wait()
            for index in 0..<Self.largeCount {
                try expectSame(
                    withOpenFile(mountPoint + "/known/\(index)") { try $0.bytes(in: 0..<Self.largeByteCount) }, expected
                )
            }
        }
    }

    @Test(arguments: [["umount", "-l"], ["tractfs", "unmount", "--grace", "1s"]])
    func `A mount without a network can be unmounted while a program reads`(command: [String]) throws {
        try withMountOverLine { line, mountPoint, _ in
            try line.cut()
            try withTemporaryDirectory { directory in
                let reader = try BackgroundProcess("cat", [mountPoint + "/known/0"], outputDirectory: directory)
                defer { reader.end() }
                let program = command[0] == "tractfs" ? try tractfsExecutable() : command[0]
                try runChecked(program, Array(command.dropFirst()) + [mountPoint], timeout: .seconds(60))
                try reader.waitForEnd(timeout: .seconds(60))
                #expect(reader.status == 1)
                try eventually("the server's end") { processes(withArgument: mountPoint).isEmpty }
            }
        }
    }
}
