import Foundation
import ObjectStore
import TestSupport
import Testing

/// The files that come with tractfs.
private let units = packageRoot + "/packaging/systemd"

@Suite(mounts) struct ServiceTests {
    @Test(
        "A mount in the foreground tells its state to the socket of systemd",
        arguments: [("in the file system", SIGTERM), ("abstract", 0)])
    func states(kind: String, signal: Int32) throws {
        try withTemporaryDirectory { directory in
            let mountPoint = directory + "/mount"
            try runChecked("mkdir", [mountPoint])
            let listener = try NotifyListener(
                kind == "abstract" ? "@tractfs-test-\(getpid())-\(UInt32.random(in: 0 ... .max))" : directory + "/n")
            try withS3TestServer { server in
                server.put("README", .text("read me"))
                let service = try BackgroundProcess(
                    tractfsExecutable(),
                    [
                        "mount", "--foreground", "s3://\(server.bucket)", mountPoint, "--no-cache", "--endpoint-url",
                        server.endpointURL,
                    ], environment: environmentWithKeys.merging(["NOTIFY_SOCKET": listener.address]) { $1 },
                    outputDirectory: directory)
                defer { service.end() }
                #expect(try listener.value(of: "READY=") == "1")
                #expect(isMounted(mountPoint))
                #expect(try listener.value(of: "MAINPID=") == "\(service.processID)")
                let first = try #require(MountProcesses(of: mountPoint)).server
                #expect(
                    try listener.value(of: "STATUS=")
                        == "s3://\(server.bucket) on \(mountPoint), served by process \(first)")
                if kernelIsAtLeast(6, 9) {
                    kill(first, SIGKILL)
                    #expect(try runChecked("cat", [mountPoint + "/README"]) == "read me")
                    try eventually("the successor's status") {
                        let server = MountProcesses(of: mountPoint)?.server
                        return try listener.value(of: "STATUS=").hasSuffix("process \(server ?? 0)") && server != first
                    }
                }
                #expect(!listener.told.contains { $0.hasPrefix("STOPPING=") })
                if signal == 0 { try runChecked("umount", [mountPoint]) } else { kill(service.processID, signal) }
                #expect(try listener.value(of: "STOPPING=") == "1")
                try service.waitForEnd(timeout: .seconds(30))
                #expect(service.status == 0 && !isMounted(mountPoint))
            }
        }
    }

    @Test func `A mount in the background sends systemd no message`() throws {
        try withTemporaryDirectory { directory in
            let listener = try NotifyListener(directory + "/n")
            try withS3TestServer { server in
                let environment = environmentWithKeys.merging(["NOTIFY_SOCKET": listener.address]) { $1 }
                try withMount(
                    uri: "s3://\(server.bucket)", options: ["--endpoint-url", server.endpointURL, "--no-cache"],
                    environment: environment
                ) { _ in }
            }
            listener.receive()
            #expect(listener.told == [])
        }
    }

    private static let hasSystemd = (try? run("systemd-analyze", ["--version"]))?.status == 0

    @Test(
        "The units of the package are valid for systemd-analyze", .enabled(if: hasSystemd, "needs systemd-analyze"),
        arguments: ["tractfs@.service", "mnt-hcp.mount", "mnt-hcp.automount"])
    func verify(name: String) throws {
        try withTemporaryDirectory { directory in
            for unit in ["tractfs@.service", "mnt-hcp.mount", "mnt-hcp.automount"] {
                try String(contentsOfFile: "\(units)/\(unit)", encoding: .utf8)
                    .replacing("/usr/bin/tractfs", with: tractfsExecutable())
                    .write(toFile: "\(directory)/\(unit)", atomically: false, encoding: .utf8)
            }
            let result = try run("systemd-analyze", ["verify", "--man=no", "\(directory)/\(name)"])
            // systemd-analyze reports other units of the machine too.
            let complaints = result.errorOutput.split(separator: "\n").filter {
                $0.contains(directory) || $0.contains("hcp")
            }
            #expect(complaints == [] && result.status == 0, "\(result.errorOutput)")
        }
    }
}
