import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

/// A cache that a real mount has filled, with objects of every kind in it.
private struct FilledCache {
    let server: S3TestServer
    let mountPoint: String
    /// The cache's folder.
    let folder: String

    /// The objects, in the order in which they were read.
    static let objects: [(key: Key, body: ObjectBody)] = [
        ("HCP/100307/T1w.nii", .pattern(seed: 1, byteCount: 2 << 20 | 5)), ("HCP/README", .text("read me")),
        ("HCP_1200/README", .text("read me first")), ("odd/\u{1b}[31m\"a\\b\"\n", .text("odd")),
        ("big", .pattern(seed: 2, byteCount: 16 << 20)),
    ]
    /// An object of which only the beginning was read.
    static let partlyRead: Key = "big"

    /// Mounts a bucket, reads the objects, and calls `body` when the cache has them. The mount is still there.
    static func with<Result>(_ body: (FilledCache) throws -> Result) throws -> Result {
        try withTemporaryDirectory { directory in
            let folder = directory + "/cache"
            return try withS3TestServer { server in
                for object in objects {
                    server.put(object.key, object.body, etag: ETag("\"\(object.body.byteCount)\""))
                }
                return try withMount(of: server, options: ["--cache-dir", folder]) { mountPoint in
                    let cache = FilledCache(server: server, mountPoint: mountPoint, folder: folder)
                    for (index, object) in objects.enumerated() {
                        try cache.read(object.key, byteCount: object.key == partlyRead ? 4_096 : nil)
                        try eventually("\(object.key) is in the cache") { try cache.listed().count == index + 1 }
                    }
                    try eventually("all is in the cache") { try cache.listed().count { $0.complete } == 4 }
                    return try body(cache)
                }
            }
        }
    }

    /// Reads a file through the mount, and compares it.
    func read(_ key: Key, byteCount: Int? = nil) throws {
        let path = mountPoint + "/" + String(decoding: key.bytes, as: UTF8.self)
        let body = try #require(FilledCache.objects.first { $0.key == key }?.body)
        let range = 0..<(byteCount ?? body.byteCount)
        expectSame(try withOpenFile(path) { try $0.bytes(in: range) }, body.bytes(in: range))
    }

    /// Runs `tractfs cache`.
    func run(_ arguments: String...) throws -> CommandResult {
        try cacheCommand(arguments + ["--cache-dir", folder])
    }

    /// Returns the lines of `tractfs cache list --json`.
    func listed() throws -> [ListedLine] {
        let result = try run("list", "--json")
        #expect(result.status == 0 && result.errorOutput == "", "\(result.errorOutput)")
        return try result.output.split(separator: "\n").map { line in
            try JSONDecoder().decode(ListedLine.self, from: Data(line.utf8))
        }
    }

    /// The path of the `suffix` file of the object with so many bytes.
    func path(ofObjectWith byteCount: Int, _ suffix: String) throws -> String {
        let data = try runChecked("find", [folder, "-name", "*.data", "-size", "\(byteCount)c"])
        return String(data.dropLast("data\n".count)) + suffix
    }

    struct ListedLine: Decodable, Equatable {
        let uri: String
        let endpoint: String?
        let bucket: String
        let key: String
        let etag: String
        let size: Int
        let cached_bytes: Int
        let disk_bytes: Int
        let complete: Bool
        let last_used: String
    }
}

/// Runs `tractfs cache`, in a time zone that isn't UTC.
private func cacheCommand(_ arguments: [String]) throws -> CommandResult {
    try run(
        tractfsExecutable(), ["cache"] + arguments, environment: ["TZ": "Etc/GMT-3", "LC_ALL": "C"],
        timeout: .seconds(60))
}

@Suite(.serialized, mounts) struct CacheInUseTests {
    @Test func `cache list shows each object in a line, the last used first, and a total`() throws {
        try FilledCache.with { cache in
            let result = try cache.run("list")
            #expect(result.status == 0 && result.errorOutput == "")
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.count == FilledCache.objects.count + 2)
            let number = #"\d+(\.\d)?([KMG]i)?B"#
            let names = FilledCache.objects.reversed().map { "s3://\(cache.server.bucket)/\($0.key)" }
            for (line, name) in zip(lines.dropFirst(), names) {
                let state = name.hasSuffix("big") ? "part    " : "complete"
                #expect(line.hasSuffix("  \(name) (\(cache.server.endpointURL))"))
                let columns = try Regex("^ *\(number)  +\(number)  \(state)  20..-..-.. ..:..  s3://")
                #expect(line.firstMatch(of: columns) != nil, "\(line)")
            }
            #expect(lines[2].contains(#"odd/\u{1B}[31m"a\b"\n"#))
            let total = try Regex("^5 objects \\(4 complete\\), \(number) in \(cache.folder)$")
            #expect(lines.last?.firstMatch(of: total) != nil, "\(lines)")
        }
    }

    @Test func `cache list --json prints one JSON object a line`() throws {
        try FilledCache.with { cache in
            let objects = try cache.listed()
            #expect(objects.map { Key($0.key) } == FilledCache.objects.reversed().map(\.key))
            #expect(objects.map(\.size) == FilledCache.objects.reversed().map(\.body.byteCount))
            for object in objects {
                #expect(object.uri == "s3://\(cache.server.bucket)/\(object.key)")
                #expect(object.bucket == cache.server.bucket && object.endpoint == cache.server.endpointURL)
                #expect(object.etag == "\"\(object.size)\"")
                #expect(object.complete == (object.cached_bytes == object.size))
                #expect(object.complete == (object.key != "big"))
                #expect(object.cached_bytes > 0 && object.disk_bytes >= object.cached_bytes)
                let time = try #require(try? Date(object.last_used, strategy: .iso8601))
                #expect(abs(time.timeIntervalSinceNow) < 3_600)
            }
            let output = try cache.run("list", "--json").output
            #expect(output.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
        }
    }

    @Test func `cache verify finds nothing wrong with the cache of a mount, and prints no error`() throws {
        try FilledCache.with { cache in
            let result = try cache.run("verify")
            #expect(result.status == 0 && result.errorOutput == "", "\(result.errorOutput)")
            #expect(
                result.output.hasPrefix("5 objects, ") && result.output.hasSuffix("in \(cache.folder): all right\n"))
            #expect(try cache.listed().count == 5)
        }
    }

    /// Damage to the files of the biggest complete object.
    struct Harm: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let script: String
        /// The words of `verify` about it.
        let words: String

        static let all = [
            Harm(
                testDescription: "a byte changed", script: "printf x | dd of=$0.data bs=1 seek=200000 conv=notrunc",
                words: "HCP/100307/T1w.nii"),
            Harm(
                testDescription: "the data cut off", script: "truncate -s 1000 $0.data",
                words: "HCP/100307/T1w.nii"),
            Harm(
                testDescription: "a link in place of the data",
                script: "mv $0.data $0.elsewhere; ln -s $0.elsewhere $0.data", words: "HCP/100307/T1w.nii"),
            Harm(
                testDescription: "noise in place of the index", script: "head -c 999 /dev/urandom > $0.index",
                words: "1 object whose index doesn't tell which they are"),
        ]
    }

    @Test(arguments: Harm.all)
    func `cache verify drops and reports damaged blocks, and the mount continues`(harm: Harm) throws {
        try FilledCache.with { cache in
            let key = FilledCache.objects[0].key
            let path = try cache.path(ofObjectWith: FilledCache.objects[0].body.byteCount, "")
            try runChecked("sh", ["-c", harm.script, String(path.dropLast())])

            let damaged = try cache.run("verify")
            #expect(damaged.status == 1)
            let lines = damaged.output.split(separator: "\n")
            #expect(lines.count == 2 && lines[0].hasPrefix("damaged: "), "\(damaged.output)")
            #expect(lines[0].contains(harm.words), "\(damaged.output)")
            #expect(lines.last?.hasSuffix(": 1 object damaged") == true)
            #expect(damaged.errorOutput.split(separator: "\n").count == 1)
            #expect(damaged.errorOutput.contains(cache.folder) && damaged.errorOutput.contains("check the disk"))

            try cache.read(key)
            let again = try cache.run("verify")
            #expect(again.status == 0 && again.errorOutput == "", "\(again.output)")
        }
    }

    @Test func `cache clear removes everything, and the mount reads on and caches again`() throws {
        try FilledCache.with { cache in
            let key = FilledCache.objects[0].key
            let path = cache.mountPoint + "/" + String(decoding: key.bytes, as: UTF8.self)
            try withOpenFile(path) { file in
                let result = try cache.run("clear")
                #expect(result.status == 0 && result.errorOutput == "")
                let form = try Regex("^5 objects removed from \(cache.folder), [0-9.]+MiB freed\n$")
                #expect(result.output.firstMatch(of: form) != nil, "\(result.output)")
                #expect(try cache.listed().isEmpty)
                #expect(try cache.run("list").output == "0 objects (0 complete), 0B in \(cache.folder)\n")
                expectSame(try file.bytes(in: 0..<1_000), FilledCache.objects[0].body.bytes(in: 0..<1_000))
            }
            for object in FilledCache.objects { try cache.read(object.key) }
            #expect(try cache.run("verify").status == 0)
            #expect(try cache.run("clear").status == 0)
        }
    }

    @Test func `Readers see right bytes while the cache is listed, verified and cleared all the time`() throws {
        try withTemporaryDirectory { directory in
            try FilledCache.with { cache in
                let body = FilledCache.objects[0].body
                try Data(body.allBytes).write(to: URL(fileURLWithPath: directory + "/copy"))
                // O_DIRECT: the kernel's page cache would answer otherwise.
                let script = """
                    set -o pipefail
                    while [ ! -e "$1/end" ]; do
                        dd if="$0/HCP/100307/T1w.nii" iflag=direct bs=1M status=none | cmp - "$1/copy" || exit 1
                    done
                    """
                let reader = try BackgroundProcess(
                    "bash", ["-c", script, cache.mountPoint, directory], outputDirectory: directory)
                defer { reader.end() }
                for _ in 0..<10 {
                    for arguments in [["list"], ["verify"], ["clear", "s3://tract-test/HCP/"], ["verify"]] {
                        let result = try cacheCommand(arguments + ["--cache-dir", cache.folder])
                        #expect(result.status == 0, "\(arguments): \(result.output)\(result.errorOutput)")
                    }
                }
                try Data().write(to: URL(fileURLWithPath: directory + "/end"))
                try reader.waitForEnd(timeout: .seconds(30))
                #expect(reader.status == 0, "\(reader.output)\(reader.errorOutput)")
            }
        }
    }

    @Test func `cache clear removes a bucket, a folder or one object, and nothing else`() throws {
        try FilledCache.with { cache in
            let all = Set(FilledCache.objects.map(\.key))
            for (uri, removed): (String, Set<Key>) in [
                ("s3://another-bucket", []), ("s3://tract-test/HC", []), ("s3://tract-test/HCP/READ", []),
                ("s3://tract-test/HCP", ["HCP/README", "HCP/100307/T1w.nii"]),
                ("s3://tract-test/HCP_1200/README", ["HCP_1200/README"]), ("s3://tract-test/", all),
            ] {
                let before = Set(try cache.listed().map { Key($0.key) })
                let result = try cache.run("clear", uri)
                #expect(result.status == 0)
                #expect(result.output.hasPrefix("\(before.intersection(removed).count) object"), "\(result.output)")
                #expect(Set(try cache.listed().map { Key($0.key) }) == before.subtracting(removed), "\(uri)")
            }
        }
    }

    @Test func `cache clear removes only files that belong to the cache`() throws {
        try FilledCache.with { cache in
            let shard = URL(fileURLWithPath: try cache.path(ofObjectWith: 7, "data")).deletingLastPathComponent()
            let name = shard.lastPathComponent + String(repeating: "0", count: 30)
            let others = [
                "\(cache.folder)/thesis.tex", "\(shard.path)/notes.txt", "\(shard.path)/\(name).data/thesis.tex",
                "\(shard.path)/my-results-of-november-2026-v.10.data", "\(cache.folder)/objects/thesis.data",
            ]
            try runChecked("mkdir", ["\(shard.path)/\(name).data"])
            for path in others { try "mine".write(toFile: path, atomically: true, encoding: .utf8) }
            for arguments in [["verify"], ["list"], ["clear"], ["clear"]] {
                let result = try cacheCommand(arguments + ["--cache-dir", cache.folder])
                #expect(result.status == 0, "\(arguments): \(result.output)\(result.errorOutput)")
            }
            for path in others { #expect(FileManager.default.contents(atPath: path) == Data("mine".utf8), "\(path)") }
            #expect(try cache.listed().isEmpty)
        }
    }

    @Test func `On a read-only disk cache list and verify work, and clear fails with the reason`() throws {
        try FilledCache.with { cache in
            let path = try cache.path(ofObjectWith: FilledCache.objects[0].body.byteCount, "data")
            try withTemporaryDirectory { readOnly in
                try runChecked("mount", ["--bind", cache.folder, readOnly])
                defer { _ = umount(readOnly) }
                try runChecked("mount", ["-o", "remount,bind,ro", readOnly])
                #expect(try cacheCommand(["list", "--cache-dir", readOnly]).output.contains("5 objects (4 complete)"))
                #expect(try cacheCommand(["verify", "--cache-dir", readOnly]).status == 0)
                let clear = try cacheCommand(["clear", "--cache-dir", readOnly])
                #expect(clear.status == 1 && clear.errorOutput.contains("Read-only file system"))
                let script = "printf x | dd of=$0 bs=1 seek=200000 conv=notrunc"
                try runChecked("sh", ["-c", script, path])
                let verify = try cacheCommand(["verify", "--cache-dir", readOnly])
                #expect(verify.status == 1 && verify.output.contains("T1w.nii (\(cache.server.endpointURL)): can't be"))
            }
            #expect(try cache.listed().count == 5)
        }
    }

    @Test func `A cache command fails if it cannot write to standard output`() throws {
        try FilledCache.with { cache in
            for arguments in [["list"], ["list", "--json"], ["verify"], ["clear"]] {
                let script = "exec \"$0\" cache \"$@\" > /dev/full"
                let result = try run(
                    "bash", ["-c", script, tractfsExecutable()] + arguments + ["--cache-dir", cache.folder])
                #expect(result.status == 1 && result.errorOutput.contains("standard output"), "\(result)")
            }
        }
    }
}

@Suite struct NoCacheTests {
    private static let commands = [
        ["list"], ["list", "--json"], ["verify"], ["clear"], ["clear", "s3://tract-test/a"],
    ]

    @Test(
        "Without a cache the cache commands say so and succeed", arguments: commands,
        ["missing", "empty", "missing/below"])
    func absent(arguments: [String], name: String) throws {
        try withTemporaryDirectory { directory in
            let folder = directory + "/" + name
            if name == "empty" { try runChecked("mkdir", [folder]) }
            let result = try cacheCommand(arguments + ["--cache-dir", folder])
            #expect(result.status == 0 && result.output == "")
            #expect(result.errorOutput == "tractfs: there is no cache in \(folder)\n")
            #expect(FileManager.default.fileExists(atPath: folder) == (name == "empty"))
        }
    }

    /// A folder that is no cache, or that cannot be trusted.
    struct WrongFolder: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let script: String
        let words: String
        var needsRoot = false

        static let all = [
            WrongFolder(testDescription: "a home", script: "mkdir $0; touch $0/.profile", words: "holds other things"),
            WrongFolder(
                testDescription: "a git repository", script: "git init -q --bare $0", words: "holds other things"),
            WrongFolder(testDescription: "a file", script: "touch $0", words: "not a directory"),
            WrongFolder(testDescription: "a link", script: "mkdir $0.to; ln -s $0.to $0", words: "symbolic link"),
            WrongFolder(testDescription: "open to all", script: "mkdir -m 777 $0; touch $0/usage", words: "mode 777"),
            WrongFolder(
                testDescription: "somebody else's", script: "mkdir $0; touch $0/usage; chown nobody $0",
                words: "belongs to another user", needsRoot: true),
            WrongFolder(
                testDescription: "a link in place of the objects",
                script: "mkdir $0 $0.to; touch $0/usage $0.to/a; ln -s $0.to $0/objects", words: "Not a directory"),
        ]
    }

    @Test(
        "The cache commands refuse a folder that is no cache, and change nothing", arguments: commands, WrongFolder.all)
    func wrong(arguments: [String], folder: WrongFolder) throws {
        if folder.needsRoot, geteuid() != 0 { return }
        try withTemporaryDirectory { directory in
            let path = directory + "/folder"
            try runChecked("sh", ["-c", folder.script, path])
            let before = try runChecked("find", [directory, "-printf", "%p %M %u %l %s %T@ %C@\n"])
            let result = try cacheCommand(arguments + ["--cache-dir", path])
            #expect(result.status == 1 && result.output == "")
            #expect(result.errorOutput.contains(path) && result.errorOutput.contains(folder.words), "\(result)")
            #expect(result.errorOutput.split(separator: "\n").count == 1)
            #expect(try runChecked("find", [directory, "-printf", "%p %M %u %l %s %T@ %C@\n"]) == before)
        }
    }

    @Test(
        "cache clear refuses an argument that is no s3:// URI",
        arguments: [
            (["clear", "tract-test"], "s3://BUCKET"), (["clear", "s3://"], "bucket"), (["clear", ""], "s3://BUCKET"),
            (["clear", "s3://a/b", "s3://c/d"], "s3://c/d"), (["list", "s3://tract-test"], "s3://tract-test"),
            (["list", "--cache-dir", ""], "--cache-dir"), (["verify", "--json"], "--json"), (["empty"], "empty"),
        ])
    func arguments(arguments: [String], word: String) throws {
        let result = try cacheCommand(arguments)
        #expect(result.status != 0 && result.output == "")
        #expect(result.errorOutput.contains(word) && result.errorOutput.split(separator: "\n").count == 1)
    }

    @Test func `Without --cache-dir the cache commands use the default folder of mount`() throws {
        try withTemporaryDirectory { directory in
            let environment = ["XDG_CACHE_HOME": directory]
            let result = try run(tractfsExecutable(), ["cache", "list"], environment: environment)
            // Root's folder is shared by all tests, and may have contents.
            let folder = geteuid() == 0 ? "/var/cache/tractfs" : directory + "/tractfs"
            #expect(result.status == 0 && (result.output + result.errorOutput).contains(" in \(folder)\n"))
        }
    }
}
