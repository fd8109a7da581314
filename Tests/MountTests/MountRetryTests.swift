import Foundation
import ObjectStore
import TestSupport
import Testing

/// Mounts that are made before the network is there, as at the start of a machine.
@Suite(.serialized, mounts) struct MountRetryTests {
    /// A port without a listener.
    private func withMounting(
        _ options: [String], environment: [String: String] = environmentWithKeys,
        _ body: (_ command: BackgroundProcess, _ mountPoint: String) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let mountPoint = directory + "/mount"
            try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
            let command = try BackgroundProcess(
                tractfsExecutable(), ["mount", "s3://tract-test", mountPoint, "--no-cache"] + options,
                environment: environment, outputDirectory: directory)
            let result = Result { try body(command, mountPoint) }
            command.end()
            try eventually("the end of the mount") {
                if isMounted(mountPoint) { _ = try run("fusermount3", ["-u", "-z", mountPoint]) }
                return processes(withArgument: mountPoint).isEmpty
            }
            try result.get()
        }
    }

    @Test(arguments: [["--retry", "2m"], ["-o", "retry=2m"], ["--retry", "2m", "--foreground"]])
    func `A mount with --retry comes once the store is there, and says once what it waits for`(options: [String]) throws
    {
        try withS3TestServer { server in
            server.put("README", .text("found"))
            try server.refuseConnections()
            try withMounting(["--endpoint-url", server.endpointURL] + options) { command, mountPoint in
                try eventually("a word on what it waits for") {
                    command.errorOutput.contains("waiting for the network")
                        && command.errorOutput.contains("can't connect to")
                }
                #expect(command.isRunning && !isMounted(mountPoint))
                try server.acceptConnections()
                if options.contains("--foreground") {
                    try eventually("a mount") { isMounted(mountPoint) }
                } else {
                    try command.waitForEnd(timeout: .seconds(60))
                    #expect(command.status == 0, "\(command.errorOutput)")
                }
                #expect(try runChecked("cat", [mountPoint + "/README"]) == "found")
                #expect(command.errorOutput.components(separatedBy: "waiting for the network").count == 2)
            }
        }
    }

    @Test func `A mount with --retry comes once the machine's role is there`() throws {
        try withS3TestServer { server in
            server.put("README", .text("found"))
            let document = """
                {"Code":"Success","AccessKeyId":"DOCUMENTID","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}
                """
            var service = MetadataService(document: document)
            let role = service.role
            service.role = nil
            let (without, with) = (service, MetadataService(document: document))
            #expect(role == with.role)
            try withServiceTestServer(answering: without.answer) { metadata in
                let environment = environmentWithoutKeys.merging([
                    "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata.url,
                ]) { $1 }
                let options = ["--endpoint-url", server.endpointURL, "--retry", "2m"]
                try withMounting(options, environment: environment) { command, mountPoint in
                    try eventually("a word on what it waits for") {
                        command.errorOutput.contains("this EC2 machine has no role")
                    }
                    metadata.answer(with.answer)
                    try command.waitForEnd(timeout: .seconds(60))
                    #expect(command.status == 0, "\(command.errorOutput)")
                    #expect(try runChecked("cat", [mountPoint + "/README"]) == "found")
                }
            }
        }
    }

    @Test func `A mount with --retry fails at once if the network is not the reason`() throws {
        try withS3TestServer { server in
            server.script(.any, .refuse(.error(status: 403, code: "AccessDenied")))
            try withMounting(["--endpoint-url", server.endpointURL, "--retry", "1h"]) { command, _ in
                try command.waitForEnd(timeout: .seconds(60))
                #expect(command.status == 1)
                #expect(command.errorOutput.contains("AccessDenied") && !command.errorOutput.contains("waiting"))
            }
        }
    }

    @Test func `A mount with --retry fails with the reason when its time is over`() throws {
        let port = try freePort()
        try withMounting(["--endpoint-url", "http://127.0.0.1:\(port)", "--retry", "3s"]) { command, _ in
            try command.waitForEnd(timeout: .seconds(60))
            #expect(command.status == 1)
            #expect(command.errorOutput.contains("can't connect to") && command.errorOutput.contains("(tried for 3 s)"))
        }
    }

    @Test(arguments: [["--foreground"], []])
    func `A mount with --retry is ended by Ctrl-C, and leaves no process`(way: [String]) throws {
        let port = try freePort()
        try withMounting(["--endpoint-url", "http://127.0.0.1:\(port)", "--retry", "1h"] + way) { command, mountPoint in
            try eventually("a word on what it waits for") { command.errorOutput.contains("waiting for the network") }
            kill(command.processID, SIGINT)
            try command.waitForEnd(timeout: .seconds(10))
            #expect(command.status != 0)
            try eventually("the end of its processes") { processes(withArgument: mountPoint).isEmpty }
        }
    }
}
