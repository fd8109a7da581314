import Foundation
import ObjectStore
import TestSupport
import Testing

/// Mounts whose process outlives their path, or whose path outlives the process.
@Suite(.serialized, mounts) struct DetachedMountTests {
    @Test func `A mount that an open file keeps alive does not affect the next mount on its path`() throws {
        try withS3TestServer { server in
            server.put("f", .text("x"))
            try withMount(of: server) { mountPoint in
                let first = processes(withArgument: mountPoint)
                try withOpenFile(mountPoint + "/f") { _ in
                    try runChecked("umount", ["-l", mountPoint])
                    try runChecked(
                        tractfsExecutable(),
                        [
                            "mount", "s3://\(server.bucket)", mountPoint, "--no-cache", "--endpoint-url",
                            server.endpointURL,
                        ],
                        environment: environmentWithKeys)
                }
                try eventually("the end of the first process") {
                    processes(withArgument: mountPoint).allSatisfy { !first.contains($0) }
                }
                #expect(isMounted(mountPoint))
                #expect(FileManager.default.fileExists(atPath: mountPoint + "/f"))
            }
        }
    }

    @Test func `tractfs unmount does not wait for a stopped server`() throws {
        try withS3TestServer { server in
            try withMount(of: server) { mountPoint in
                let stopped = processes(withArgument: mountPoint)
                stopped.forEach { kill($0, SIGSTOP) }
                defer { stopped.forEach { kill($0, SIGCONT) } }
                try runChecked(tractfsExecutable(), ["unmount", mountPoint], timeout: .seconds(30))
                #expect(!isMounted(mountPoint))
            }
        }
    }
}
