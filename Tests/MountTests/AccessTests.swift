import Foundation
import ObjectStore
import SystemPackage
import TestSupport
import Testing

@Suite(mounts) struct AccessTests {
    private func withLoggedMount(
        _ server: S3TestServer, _ options: [String] = [], _ body: (String, () throws -> String) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let file = directory + "/log"
            try withMount(of: server, options: ["--no-cache", "--xattrs", "--log-file", file] + options) { mountPoint in
                try body(mountPoint) { try String(contentsOfFile: file, encoding: .utf8) }
            }
        }
    }

    @Test func `A folder that may not be listed is EACCES, with advice in the log, and others work`()
        throws
    {
        try withS3TestServer { server in
            server.put("open/f", .text("x"))
            server.put("terms/f", .text("x"))
            server.put("others/f", .text("x"))
            for folder in ["terms/", "others/"] { server.script(.below(Key(folder)), .refuse(.accessDenied)) }
            try withLoggedMount(server) { mountPoint, log in
                for folder in ["terms", "terms", "others"] {
                    let list = try run("ls", ["\(mountPoint)/\(folder)"])
                    #expect(list.errorOutput.contains("Permission denied"))
                }
                try #expect(runChecked("ls", ["\(mountPoint)/open"]) == "f\n")
                let lines = try log().split(separator: "\n").filter { $0.contains("AccessDenied") }
                #expect(lines.count == 2)
                for word in ["terms of use", "--request-payer"] { #expect(lines.allSatisfy { $0.contains(word) }) }
            }
        }
    }

    @Test func `An archived object is EACCES at open until it is restored`() throws {
        try withS3TestServer { server in
            server.put("cold", .text("0123456789"), storageClass: "DEEP_ARCHIVE")
            server.put("warm", .text("0123456789"), storageClass: "GLACIER_IR")
            server.script(.get("cold"), .refuse(.invalidObjectState), count: 1)
            try withLoggedMount(server) { mountPoint, log in
                func restore() throws -> String {
                    try runChecked("getfattr", ["--only-values", "-n", "user.s3.restore", "\(mountPoint)/cold"])
                }
                try #expect(restore() == "unknown")
                #expect(errno(of: { try withOpenFile("\(mountPoint)/cold") { _ in } }) == .permissionDenied)
                try #expect(restore() == "required")
                try #expect(log().contains("aws s3api restore-object"))
                try #expect(runChecked("cat", ["\(mountPoint)/cold"]) == "0123456789")
                try #expect(restore() == "restored")
                try #expect(runChecked("cat", ["\(mountPoint)/warm"]) == "0123456789")
                let attributes = try runChecked("getfattr", ["-d", "\(mountPoint)/warm"])
                #expect(!attributes.contains("restore"))
            }
        }
    }

    @Test func `--sse-c-key-file sends the key with requests for bytes, --expected-bucket-owner with all`() throws {
        try withTemporaryDirectory { directory in
            let keyFile = directory + "/key"
            try "S0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0s=\n".write(
                toFile: keyFile, atomically: false, encoding: .utf8)
            chmod(keyFile, 0o600)
            try withS3TestServer { server in
                server.put("f", .text("x"))
                server.require(
                    customerKey: S3CustomerKey(
                        key: "S0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0s=", md5: "hA0i9FgVK/QWfBytGHevGg=="))
                let options = ["--sse-c-key-file", keyFile, "--expected-bucket-owner", "123456789012"]
                try withLoggedMount(server, options) { mountPoint, _ in
                    try #expect(runChecked("cat", ["\(mountPoint)/f"]) == "x")
                }
                let prefix = "x-amz-server-side-encryption-customer-"
                for entry in server.log {
                    #expect(entry.request.headers["x-amz-expected-bucket-owner"] == "123456789012")
                    let isGet = entry.request.kind == .get
                    #expect((entry.request.headers[prefix + "key"] != nil) == isGet)
                    guard isGet else { continue }
                    #expect(entry.request.headers[prefix + "algorithm"] == "AES256")
                    #expect(entry.request.headers[prefix + "key"] == "S0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0s=")
                    // printf K%.0s {1..32} | openssl md5 -binary | base64
                    #expect(entry.request.headers[prefix + "key-md5"] == "hA0i9FgVK/QWfBytGHevGg==")
                }
            }
        }
    }

    @Test func `An object encrypted with another SSE-C key, or none, is EACCES or EIO`() throws {
        try withTemporaryDirectory { directory in
            let keyFile = directory + "/key"
            try String(repeating: "L", count: 32).write(toFile: keyFile, atomically: false, encoding: .utf8)
            chmod(keyFile, 0o600)
            try withS3TestServer { server in
                server.put("f", .text("x"))
                server.require(
                    customerKey: S3CustomerKey(
                        key: "S0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0s=", md5: "hA0i9FgVK/QWfBytGHevGg=="))
                for (options, expected) in [(["--sse-c-key-file", keyFile], Errno.permissionDenied), ([], .ioError)] {
                    try withLoggedMount(server, options) { mountPoint, log in
                        #expect(
                            errno(of: { try withOpenFile("\(mountPoint)/f") { try $0.bytes(in: 0..<1) } }) == expected)
                        try #expect(!log().contains("TExM"))
                    }
                }
            }
        }
    }

    @Test(arguments: [
        (["--expected-bucket-owner", "me"], ["--expected-bucket-owner", "twelve digits"]),
        (["--sse-c-key-file", "/nonexistent"], ["/nonexistent"]),
        (["--sse-c-key-file", "/etc/hostname"], ["chmod 600 /etc/hostname"]),
        (["--sse-c-key-file", "/x", "--endpoint-url", "http://example.org"], ["https", "example.org"]),
    ])
    func `An invalid option for encryption or ownership fails the mount with one line`(
        options: [String], words: [String]
    ) throws {
        try withTemporaryDirectory { directory in
            try expectFailure(of: HopelessMount("", options, says: words), at: directory)
        }
    }
}
