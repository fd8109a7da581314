import ArgumentParser
import Foundation
import Glibc
import SystemSupport
import TestSupport
import Testing

@testable import Settings
@testable import tractfs

/// Settings of every origin, each with a value of its own.
private struct SettingSources {
    static let uri = "s3://study/release/2024"
    static let mountPoint = "/nowhere/mnt"
    private static let tables = [
        "", "[bucket.study]\n", "[bucket.\"s3://study/release\"]\n", "[mount-point.\"/nowhere/mnt/\"]\n",
    ]
    /// All origins, the farthest first.
    static let all: [String] =
        ["system", "user"].flatMap { owner in tables.map { "\(owner) \($0)" } } + ["environment", "-o", "command line"]

    /// Returns the memory limit that `mount` reads if only these origins set it.
    static func memoryLimit(_ sources: some Collection<Int>) throws -> Int? {
        try withTemporaryDirectory { directory in
            func text(_ range: Range<Int>) -> String {
                range.filter(sources.contains).map { "\(tables[$0 % 4])memory-limit = \"\(value($0))MiB\"\n" }.joined()
            }
            let (user, system) = (directory + "/tractfs/config.toml", directory + "/system.toml")
            try runChecked("mkdir", [directory + "/tractfs"])
            try text(0..<4).write(toFile: system, atomically: false, encoding: .utf8)
            try text(4..<8).write(toFile: user, atomically: false, encoding: .utf8)
            var environment = ["XDG_CONFIG_HOME": directory]
            if sources.contains(8) { environment["TRACTFS_MEMORY_LIMIT"] = "\(value(8))MiB" }
            let typed =
                (sources.contains(10) ? ["--memory-limit", "\(value(10))MiB"] : [])
                + (sources.contains(9) ? ["-o", "ro,memory_limit=\(value(9))MiB"] : [])
            let completed = try CompletedArguments(
                ["mount"] + typed + [uri, mountPoint], environment: environment, systemFile: system)
            return try parsedMount(completed).running.memory.memoryLimit?.byteCount
        }
    }

    static func value(_ source: Int) -> Int { 100 + source }
}

private func parsedMount(_ completed: CompletedArguments) throws -> MountCommand {
    try #require(Tractfs.parseAsRoot(completed.arguments) as? MountCommand)
}

/// Returns a command line that is completed with a configuration file.
private func completed(
    _ arguments: [String], file: String, environment: [String: String] = [:]
) throws -> CompletedArguments {
    try withTemporaryDirectory { directory in
        let path = directory + "/c.toml"
        try file.write(toFile: path, atomically: false, encoding: .utf8)
        return try CompletedArguments(arguments, environment: environment.merging(["TRACTFS_CONFIG": path]) { $1 })
    }
}

@Suite struct SettingTests {
    @Test("a setting takes precedence over all farther ones", arguments: SettingSources.all.indices)
    func precedence(source: Int) throws {
        #expect(try SettingSources.memoryLimit(0...source) == SettingSources.value(source) << 20)
        #expect(try SettingSources.memoryLimit([source]) == SettingSources.value(source) << 20)
    }

    @Test(
        "a nearer setting overrules that of a flag",
        arguments: [
            ("no-cache = true", [:], ["--cache"], true), ("no-cache = true", [:], ["-o", "cache"], true),
            ("no_cache = true", ["TRACTFS_CACHE": "yes"], [], true),
            ("cache = false", ["TRACTFS_NO_CACHE": "0"], [], true),
            ("no-cache = true\n[bucket.study]\nno-cache = false", [:], [], true),
            ("no-cache = true\n[bucket.other]\nno-cache = false", [:], [], false),
            ("cache = true\n[mount-point.\"/nowhere/mnt\"]\nno-cache = true", [:], [], false),
            ("cache = false", ["TRACTFS_CACHE": ""], [], false), ("", ["TRACTFS_NO_CACHE": "TRUE"], [], false),
            // The nearer setting contradicts.
            ("cache-dir = \"/x\"", [:], ["--no-cache"], false), ("no-cache = true", [:], ["--cache-dir", "/x"], true),
            ("no-cache = true", ["TRACTFS_CACHE_DIR": "/x"], [], true),
        ] as [(String, [String: String], [String], Bool)])
    func flag(file: String, environment: [String: String], typed: [String], isEnabled: Bool) throws {
        let completed = try completed(
            ["mount", "s3://study/x", "/nowhere/mnt"] + typed, file: file, environment: environment)
        #expect(try parsedMount(completed).cache.isEnabled == isEnabled)
    }

    @Test(arguments: [("", [], true), ("no-refetch = true", [], false), ("", ["--no-refetch"], false)])
    func `parts of files that came too fast for the disk are fetched again unless a setting forbids it`(
        file: String, typed: [String], isRefetching: Bool
    ) throws {
        let completed = try completed(["mount", "s3://study/x", "/nowhere/mnt"] + typed, file: file, environment: [:])
        let settings = try parsedMount(completed).cache.settings(environment: ["HOME": "/home/you"])
        #expect(settings?.isRefetching == isRefetching)
    }

    @Test(
        "a setting in a table counts for the bucket, prefix or mount point of the table",
        arguments: [
            ("s3://study", "/mnt/a", "study"), ("s3://study/release", "/mnt/a", "release"),
            ("s3://study/release/", "/mnt/a", "release"), ("s3://study/release/1/2", "/mnt/a", "release"),
            ("s3://study/release2", "/mnt/a", "study"), ("s3://study2/release", "/mnt/a", "general"),
            ("s3://secret-keys", "/mnt/a", "secret"),
            ("s3://study/release", "/mnt/b", "b"), ("s3://other", "/mnt/../mnt/b/", "b"),
            ("s3://arn:aws:s3:us-west-2:123456789012:accesspoint/point/x", "/mnt/a", "point"),
        ])
    func scope(uri: String, mountPoint: String, profile: String) throws {
        let file = """
            profile = "general"
            [mount-point."/mnt/b"]
            profile = "b"
            [bucket."s3://study/release"]
            profile = "release"
            [bucket.secret-keys]
            profile = "secret"
            [bucket]
            study = { profile = "study" }
            [bucket."arn:aws:s3:us-west-2:123456789012:accesspoint/point"]
            profile = "point"
            """
        let completed = try completed(["mount", uri, mountPoint], file: file)
        #expect(try parsedMount(completed).store.profile == profile)
    }

    @Test
    func `a setting in a file is read as its option, with paths relative to the file, and an empty text undoes one`()
        throws
    {
        try withTemporaryDirectory { directory in
            let file = """
                cache-dir = "c/d"
                log-file = "~/log"
                ca-bundle = "/ca.pem"
                uid = 1234
                file-mode = "0440"
                cache-size = 1073741824
                region = "eu-west-1"
                profile = "x"
                [bucket.study]
                profile = ""
                """
            try file.write(toFile: directory + "/c.toml", atomically: false, encoding: .utf8)
            let completed = try CompletedArguments(
                ["mount", "s3://study", "--config", directory + "/c.toml", "--region", "us-east-2", "m"],
                environment: [:])
            let mount = try parsedMount(completed)
            #expect(mount.cache.place.cacheDir == directory + "/c/d")
            #expect(mount.running.logFile == ProcessInfo.processInfo.environment["HOME"].map { $0 + "/log" })
            #expect(
                mount.store.caBundle == "/ca.pem" && mount.store.region == "us-east-2" && mount.store.profile == nil)
            #expect(mount.appearance.uid == 1234 && mount.appearance.fileMode?.bits == 0o440)
            #expect(mount.cache.cacheSize.byteCount == 1 << 30)
        }
    }

    @Test
    func `settings are added to every command with the option, unless a mount signs, or the command line is complete`()
        throws
    {
        let file = "cache-dir = \"/c\"\nregion = \"eu-west-1\"\nallow-other = true"
        let typed = [
            ["doctor", "s3://study"]: 3, ["presign", "s3://study/x"]: 1, ["presign", "/mnt/x"]: 0,
            ["cache", "list"]: 1,
            ["cache", "clear", "s3://study"]: 1, ["unmount", "/mnt"]: 0, ["config", "show"]: 0, ["help", "mount"]: 0,
            ["mount", "--help"]: 0, ["nonsense"]: 0, []: 0,
        ]
        for (typed, count) in typed {
            let arguments = try completed(typed, file: file).arguments
            #expect(arguments.count == typed.count + count, "\(arguments)")
        }
        let inherited = try completed(
            ["mount", "s3://study", "/mnt"], file: file, environment: ["TRACTFS_ROLE": "server"])
        #expect(inherited.arguments == ["mount", "s3://study", "/mnt"])
    }

    @Test func `an option means the same in every command`() {
        let commands = Tractfs.configuration.subcommands + CacheCommand.configuration.subcommands
        let configurable = commands.compactMap { $0 as? any ConfigurableCommand.Type }
        #expect(configurable.count == 6)
        for command in configurable {
            let options = DeclaredOptions(of: command)
            #expect(options["config"]?.isPath == true)
            for option in options.options {
                guard let same = DeclaredOptions.ofMount[option.name] else { continue }
                #expect(option.valueName == same.valueName && option.standard == same.standard)
            }
        }
        // Every flag has a negation.
        let mount = DeclaredOptions.ofMount.options.filter(\.isFlag).flatMap { ["--\($0.name)", "--no-\($0.name)"] }
        #expect(mount.count == 20)
        #expect(throws: Never.self) { try MountCommand.parse(mount + ["s3://study", "/mnt"]) }
    }
}

@Suite struct ConfigurationFileTests {
    private let secretAccessKey = "tractTestSecret/abcdefghijklmnopqrstuvwx"

    /// Returns the line with which `config show` refuses a file.
    private func complaint(about file: String, environment: [String: String] = [:]) throws -> String {
        try withTemporaryDirectory { directory in
            let path = directory + "/c.toml"
            try file.write(toFile: path, atomically: false, encoding: .utf8)
            let result = try run(
                tractfsExecutable(), ["config", "show", "--config", path], environment: environment)
            #expect(result.status == 1 && result.output == "")
            #expect(result.errorOutput.count { $0 == "\n" } == 1)
            return result.errorOutput.replacing(path, with: "FILE")
        }
    }

    @Test(
        "a mistake in a configuration file is reported with its line and with advice",
        arguments: [
            ("# x\ncache-dirr = \"/x\"", "FILE:2: there is no option cache-dirr; did you mean cache-dir?"),
            ("\nendpoint = \"http://x\"", "FILE:2: there is no option endpoint; did you mean endpoint-url?"),
            ("no-cahce = true", "FILE:1: there is no option no-cahce; did you mean no-cache?"),
            ("bananas = 5", "FILE:1: there is no option bananas; tractfs config show lists all"),
            ("config = \"x\"", "FILE:1: there is no option config"),
            ("no-cache = \"true\"", "FILE:1: no-cache is of type string; write no-cache = true or no-cache = false"),
            ("profile = true", "FILE:1: profile is of type boolean; write profile = \"…\", in quotes"),
            ("uid = 1.5", "FILE:1: uid is of type floating-point number; write uid = \"…\", in quotes"),
            ("file-mode = 0o444", "FILE:1: file-mode is of type integer; write file-mode = \"…\", in quotes"),
            ("region = [\n  \"a\",\n]", "FILE:1: region is of type array; write region = \"…\", in quotes"),
            ("cache = true\nno_cache = true", "FILE:2: cache is set twice in one table; leave one of them out"),
            ("# x\n\nmemory-limit = \"5 bananas\"", "FILE:3 (memory-limit): The value '5 bananas' is invalid"),
            ("[bucket.x-y]\n\nread-timeout = 60", "FILE:3 (read-timeout): The value '60' is invalid"),
            (
                "cache-dir = \"/x\"\nno-cache = true",
                "FILE:2 (cache), FILE:1 (cache-dir): give --cache-dir or --no-cache"
            ),
            ("[bucket.\"..\"]", "FILE:1: .. can't be a bucket's name"),
            ("[buckets.x]", "FILE:1: there is no table [buckets]; did you mean [bucket.NAME]?"),
            ("[other]", "FILE:1: there is no table [other]; there are [bucket.NAME] and [mount-point.\"/PATH\"]"),
            ("\n[bucket.my.study]\nuid = 1", "FILE:2: there is no table [bucket.my.study]; a name with a dot"),
            ("[bucket]\nprofile = \"x\"", "FILE:2: bucket is what tables begin with, [bucket.NAME]; put profile"),
            ("[mount-point.mnt]", "FILE:1: the mount point mnt must be a whole path"),
            ("profile = \"x\n", "FILE:1: this is no TOML: "), ("uid = 1\nuid = 2", "FILE:2: this is no TOML: "),
            ("uid = 1\ngid == 2\n", "FILE:2: this is no TOML: "), ("uid = 1\n\0", "FILE:2: this is no TOML: "),
        ])
    func mistakes(file: String, words: String) throws {
        let complaint = try complaint(about: file)
        #expect(complaint.hasPrefix("tractfs: " + words), "\(complaint)")
    }

    @Test(
        "a configuration file with secrets is refused, and they are not shown",
        arguments: ["aws_access_key_id", "secret-access-key", "aws_session_token"])
    func secrets(name: String) throws {
        for table in ["", "[bucket.study]\n", "[default]\n"] {
            // In the form of ~/.aws/credentials.
            let bare = try complaint(about: "\(table)\(name) = \(secretAccessKey)\n")
            #expect(bare.contains("this is no TOML") && !bare.contains(secretAccessKey), "\(bare)")
            let complaint = try complaint(about: "\(table)\(name) = \"\(secretAccessKey)\"\n")
            #expect(complaint.contains("keys have no place in this file") && complaint.contains("profile = \"NAME\""))
            #expect(!complaint.contains(secretAccessKey))
        }
    }

    @Test(
        "a mistake in a variable is reported",
        arguments: [
            ("TRACTFS_CACHE_DIRR", "/x", "there is no option for TRACTFS_CACHE_DIRR; did you mean TRACTFS_CACHE_DIR?"),
            ("TRACTFS_XATTRS", "maybe", "TRACTFS_XATTRS is \"maybe\"; set it to true or to false"),
            ("TRACTFS_CACHE_SIZE", "1x", "TRACTFS_CACHE_SIZE (cache-size): The value '1x' is invalid"),
        ])
    func variables(name: String, value: String, words: String) throws {
        #expect(try complaint(about: "", environment: [name: value]).hasPrefix("tractfs: " + words))
    }

    @Test func `configuration files are in the user's folder and the system's, unless one is named`() {
        let system = "/etc/tractfs.toml"
        let cases: [(String?, [String: String], [String])] = [
            (nil, ["HOME": "/h"], ["/h/.config/tractfs/config.toml", system]),
            (nil, ["HOME": "/h", "XDG_CONFIG_HOME": "/x"], ["/x/tractfs/config.toml", system]),
            (nil, ["HOME": "/h", "XDG_CONFIG_HOME": "x"], ["/h/.config/tractfs/config.toml", system]),
            (nil, [:], [system]), (nil, ["TRACTFS_CONFIG": "/c"], ["/c"]), ("/d", ["TRACTFS_CONFIG": "/c"], ["/d"]),
        ]
        for (named, environment, paths) in cases {
            #expect(ConfigurationSource.all(named: named, environment: environment).map(\.path) == paths)
        }
    }

    /// The treatment of a file.
    enum Treatment: String {
        case used, ignored, refused
    }

    @Test(
        "a configuration file that other users may write is not used",
        arguments: [
            (0o644, .user, false, .used), (0o664, .user, false, .used), (0o646, .user, false, .refused),
            (0o646, .system, false, .refused), (0o646, .named, true, .refused), (0o644, .user, true, .ignored),
            (0o644, .system, true, .refused), (0o644, .system, false, .used), (0o664, .named, true, .used),
        ] as [(mode_t, ConfigurationSource.Owner, Bool, Treatment)])
    func treatment(mode: mode_t, owner: ConfigurationSource.Owner, isRoot: Bool, treatment: Treatment) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/c.toml"
            try "uid = 1".write(toFile: path, atomically: false, encoding: .utf8)
            // Another user than root.
            if geteuid() == 0 { chown(path, 1_000, 1_000) }
            chmod(path, mode)
            let found: Treatment
            switch Result(catching: { try ConfigurationSource(path: path, owner: owner).content(isRoot: isRoot) }) {
            case .success(.text("uid = 1")): found = .used
            case .success(.ignored(let reason)):
                found = .ignored
                #expect(reason.contains("--config \(path)"))
            case .success: Issue.record("the file isn't found"); return
            case .failure(let error):
                found = .refused
                #expect("\(error)".contains("chmod"))
            }
            #expect(found == treatment)
        }
    }

    @Test func `a configuration file that can't be read is ignored, unless it is named`() throws {
        try withTemporaryDirectory { directory in
            for path in [directory + "/none", "/dev/null/none"] {
                for owner in [ConfigurationSource.Owner.user, .system] {
                    guard case .nothing = try ConfigurationSource(path: path, owner: owner).content(isRoot: false)
                    else {
                        Issue.record("there is a file \(path)")
                        continue
                    }
                }
                #expect(throws: Failure.self) {
                    try ConfigurationSource(path: path, owner: .named).content(isRoot: false)
                }
            }
            #expect(throws: Failure.self) {
                try ConfigurationSource(path: directory, owner: .user).content(isRoot: false)
            }
        }
    }
}
