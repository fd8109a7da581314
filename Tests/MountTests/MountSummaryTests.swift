import Foundation
import ObjectStore
import TestSupport
import Testing

/// The text of `tractfs mount` on a terminal.
@Suite(mounts) struct MountSummaryTests {
    @Test func `On a terminal, mounting says how to unmount and what is slow, and in a script nothing`() throws {
        try withS3TestServer { server in
            try withTemporaryDirectory { directory in
                let mountPoint = directory + "/my mount"
                try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
                let command = [
                    try tractfsExecutable(), "mount", "s3://\(server.bucket)", mountPoint, "--endpoint-url",
                    server.endpointURL, "--cache-dir", "/dev/shm/tractfs-\(getpid())",
                ]
                defer { try? FileManager.default.removeItem(atPath: "/dev/shm/tractfs-\(getpid())") }
                let shown = try runOnTerminal(command, environment: environmentWithKeys)
                try runChecked(tractfsExecutable(), ["unmount", mountPoint])
                let lines = shown.output.split(whereSeparator: \.isNewline)
                let unmount = "unmount it with: tractfs unmount '\(mountPoint)'"
                #expect(lines.first == "s3://\(server.bucket) is mounted on \(mountPoint); \(unmount)")
                // A cache in memory.
                #expect(lines.count <= 3 && lines.last?.hasPrefix("warning  cache: ") == true, "\(shown.output)")
                let silent = try runChecked(command[0], Array(command.dropFirst()), environment: environmentWithKeys)
                try runChecked(tractfsExecutable(), ["unmount", mountPoint])
                #expect(silent == "")
            }
        }
    }
}
