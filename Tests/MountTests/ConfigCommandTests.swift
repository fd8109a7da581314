import Foundation
import ObjectStore
import Settings
import Testing
import TestSupport

@testable import tractfs

@Suite struct ConfigCommandTests {
    private static let file = """
        memory-limit = "256MiB"

        [bucket.study]
        profile = "lab"      # whose keys
        [bucket."s3://study/release"]
        metadata-ttl = \"\"\"
        forever\"\"\"
        [mount-point."/mnt/a b"]
        no-cache = true
        """

    /// Returns the output for a user's file with this text.
    private func output(_ arguments: String..., environment: [String: String] = [:]) throws -> String {
        try withTemporaryDirectory { directory in
            try runChecked("mkdir", [directory + "/tractfs"])
            let path = directory + "/tractfs/config.toml"
            try Self.file.write(toFile: path, atomically: false, encoding: .utf8)
            let variables = ["XDG_CONFIG_HOME": directory, "TRACTFS_CONFIG": ""].merging(environment) { $1 }
            return try runChecked(tractfsExecutable(), ["config", "show"] + arguments, environment: variables)
                .replacing(path, with: "FILE")
        }
    }

    @Test func `config show prints each setting with its file and line, its variable, or the default`() throws {
        let output = try output(
            "s3://study/release/1", "/mnt/a b", environment: ["TRACTFS_MEMORY_LIMIT": "512MiB", "TRACTFS_XATTRS": "on"])
        let lines = output.split(separator: "\n").map { $0.split(separator: /\s\s+/).map(String.init) }
        #expect(lines.first == ["OPTION", "VALUE", "FROM"])
        let rows = [
            ["profile", "lab", "FILE:4 [bucket.study]"],
            ["metadata-ttl", "forever", "FILE:6 [bucket.\"s3://study/release\"]"],
            ["cache", "false", "FILE:9 [mount-point.\"/mnt/a b\"]"],
            ["memory-limit", "512MiB", "TRACTFS_MEMORY_LIMIT"],
            ["xattrs", "true", "TRACTFS_XATTRS"], ["cache-size", "10GiB", "default"], ["region", "-", "default"],
            ["allow-other", "false", "default"], ["sign-request", "true", "default"], ["FILE is used"],
        ]
        for row in rows { #expect(lines.contains(row), "\(row) in \(output)") }
        #expect(lines.count == 3 + DeclaredOptions.ofMount.options.count - 1)
    }

    @Test func `config show --json prints an array`() throws {
        let output = try output("s3://study", "--json", environment: ["TRACTFS_UID": "12"])
        let objects = try #require(
            JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]])
        let settings = Dictionary(uniqueKeysWithValues: objects.map { ($0["option"] as? String ?? "", $0) })
        #expect(
            settings["profile"] as NSDictionary? == [
                "option": "profile", "value": "lab", "source": "file", "file": "FILE", "line": 4,
                "table": "bucket.study",
                "variable": NSNull(),
            ])
        #expect(settings["memory-limit"]?["table"] is NSNull)
        #expect(settings["uid"]?["source"] as? String == "environment")
        #expect(settings["uid"]?["variable"] as? String == "TRACTFS_UID")
        #expect(settings["cache"]?["value"] as? Bool == true)
        #expect(settings["cache"]?["source"] as? String == "default")
        #expect(settings["region"]?["value"] is NSNull)
    }

    @Test func `config show says what is wrong with its arguments`() throws {
        for (arguments, words) in [
            (["study"], "study is not of the form s3://BUCKET[/PREFIX]"),
            (["--config", "/none.toml"], "the configuration file /none.toml can't be read"),
        ] {
            let result = try run(tractfsExecutable(), ["config", "show"] + arguments)
            #expect(result.status == 1 && result.errorOutput.contains(words))
        }
    }
}

@Suite(takeoverAvailable) struct ConfiguredMountTests {
    @Test func `A mount keeps the settings of its configuration file through crashes and upgrades`()
        throws
    {
        try withS3TestServer { server in
            server.put("HCP/README", .text("read me"))
            try withTemporaryDirectory { directory in
                let (file, mountPoint) = (directory + "/tractfs/config.toml", directory + "/mount")
                try runChecked("mkdir", [directory + "/tractfs", mountPoint])
                let text = """
                    cache-dir = "../cache"
                    log-file = "\(directory)/log"
                    [bucket.\(server.bucket)]
                    endpoint-url = "\(server.endpointURL)"
                    uid = 1234
                    dir-mode = "0550"
                    [mount-point."\(mountPoint)"]
                    uid = 2345
                    """
                try text.write(toFile: file, atomically: false, encoding: .utf8)
                let environment = environmentWithKeys.merging([
                    "XDG_CONFIG_HOME": directory, "TRACTFS_CONFIG": "", "TRACTFS_GID": "3456",
                ]) { $1 }
                func tractfs(_ arguments: String...) throws -> String {
                    try runChecked(tractfsExecutable(), arguments, environment: environment)
                }
                // The server is determined first, while its log is short.
                #expect(try tractfs("presign", "s3://\(server.bucket)/HCP/README").hasPrefix(server.endpointURL))
                #expect(try tractfs("doctor", "s3://\(server.bucket)/HCP").contains(server.endpointURL))
                _ = try tractfs("mount", "s3://\(server.bucket)", mountPoint)
                defer { _ = try? tractfs("unmount", mountPoint) }
                func look() throws {
                    let status = try runChecked("stat", ["-c", "%u %g %a", mountPoint + "/HCP"])
                    #expect(status == "2345 3456 550\n")
                    #expect(try runChecked("cat", [mountPoint + "/HCP/README"]) == "read me")
                }
                try look()
                #expect(try tractfs("cache", "list").contains("s3://\(server.bucket)/HCP/README"))
                #expect(FileManager.default.fileExists(atPath: directory + "/cache"))

                try "nonsense".write(toFile: file, atomically: false, encoding: .utf8)
                let mount = KilledMount(point: mountPoint, log: directory + "/log")
                try mount.killServer()
                try look()
                // The command reads no configuration file, because it has no settings.
                _ = try tractfs("upgrade", mountPoint)
                try look()
                let second = try run(tractfsExecutable(), ["mount", "s3://x-y", directory], environment: environment)
                #expect(second.status == 1 && second.errorOutput.contains("\(file):1: this is no TOML"))
            }
        }
    }
}
