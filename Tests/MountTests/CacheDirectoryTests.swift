import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

/// An unusable place for a cache.
struct UnsafePlace: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Makes it; `$0` of the shell is its path.
    let script: String
    /// Words of the message.
    let words: [String]
}

@Suite(.serialized, mounts) struct CacheDirectoryTests {
    private static let places = [
        UnsafePlace(
            testDescription: "a symbolic link", script: #"mkdir "$0.d" && ln -s "$0.d" "$0""#, words: ["symbolic link"]),
        UnsafePlace(testDescription: "a link to nothing", script: #"ln -s "$0.d" "$0""#, words: ["symbolic link"]),
        UnsafePlace(testDescription: "a file", script: #"touch "$0""#, words: ["not a directory"]),
        UnsafePlace(
            testDescription: "for its group to write", script: #"mkdir -m 770 "$0""#,
            words: ["writable for others", "770", "chmod 700"]),
        UnsafePlace(
            testDescription: "for all to write", script: #"mkdir -m 1777 "$0""#,
            words: ["writable for others", "1777", "chmod 700"]),
        UnsafePlace(
            testDescription: "full of other things", script: #"mkdir -m 700 "$0" && mkdir "$0/thesis""#,
            words: ["holds other things and no cache"]),
    ]

    @Test("An unusable --cache-dir is refused with the reason, and nothing is mounted", arguments: places)
    func refused(place: UnsafePlace) throws {
        try expectRefusal(place)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root, to give a directory away"))
    func `A --cache-dir of another user is refused`() throws {
        try expectRefusal(
            UnsafePlace(
                testDescription: "another user's", script: #"mkdir -m 700 "$0" && chown 65534 "$0""#,
                words: ["belongs to another user", "65534"]))
    }

    @Test func `A --cache-dir within the mount point is refused`() throws {
        try withS3TestServer { server in
            try withTemporaryDirectory { directory in
                let mountPoint = directory + "/mount"
                try runChecked("mkdir", [mountPoint])
                try expectFailure(
                    of: HopelessMount(
                        "", ["--endpoint-url", server.endpointURL, "--cache-dir", mountPoint + "/../mount/cache"],
                        says: ["within the mount point", "--cache-dir"]),
                    at: mountPoint)
                #expect(try runChecked("ls", ["-A", mountPoint]) == "")
            }
        }
    }

    @Test func `A --cache-dir may be the top of a new file system`() throws {
        try withS3TestServer { server in
            server.put("file", .text("content"))
            try withTemporaryDirectory { directory in
                try runChecked("mkdir", ["-p", "-m", "700", directory + "/cache/lost+found"])
                try withMount(of: server, options: ["--cache-dir", directory + "/cache"]) { mountPoint in
                    let content = try runChecked("cat", [mountPoint + "/file"])
                    #expect(content == "content")
                }
            }
        }
    }

    @Test func `A --cache-dir that cannot be made is refused`() throws {
        try withS3TestServer { server in
            try withTemporaryDirectory { directory in
                try runChecked("touch", [directory + "/file"])
                try runChecked("mkdir", [directory + "/mount"])
                try expectFailure(
                    of: HopelessMount(
                        "", ["--endpoint-url", server.endpointURL, "--cache-dir", directory + "/file/cache"],
                        says: ["file/cache can't be used", "--no-cache"]),
                    at: directory + "/mount")
            }
        }
    }

    /// In a mount namespace of its own, in which the default folder cannot be made. The folder and the mount end with
    /// the last process in it.
    @Test(.enabled(if: geteuid() == 0, "needs root, to change where the standard directory is made"))
    func `A default cache folder that cannot be made is replaced by no cache, with a warning`() throws {
        try withS3TestServer { server in
            server.put("file", .text("content"))
            try withTemporaryDirectory { directory in
                let script = """
                    set -e
                    mkdir mount
                    mount -t tmpfs -o ro none /var/cache
                    "$0" mount s3://\(server.bucket) mount --log-file log --endpoint-url \(server.endpointURL)
                    cat mount/file
                    "$0" unmount mount
                    """
                let output = try runChecked(
                    "env", inMountNamespace(script) + [tractfsExecutable()], environment: environmentWithKeys,
                    directory: directory)
                #expect(output == "content")
                let troubles = troubles(inLog: directory + "/log")
                #expect(troubles.count == 1 && troubles.contains { $0.contains("nothing is cached on the disk") })
            }
        }
    }

    /// Mounts with the cache in `directory`, as if that were on `fileSystem`, and reads.
    private func read(
        _ server: S3TestServer, cacheIn directory: String, on fileSystem: String, isKept: Bool
    ) throws -> (content: String, log: String) {
        let log = directory + "/log"
        try? FileManager.default.removeItem(atPath: log)
        let content = try TestSupport.withMount(
            uri: "s3://\(server.bucket)",
            options: [
                "--endpoint-url", server.endpointURL, "--cache-dir", directory + "/cache", "--log-file", log,
                "--metadata-ttl", "1h",
            ],
            environment: environmentWithKeys.merging(["TRACTFS_ASSUMED_FILE_SYSTEM": fileSystem]) { $1 }
        ) { mountPoint in
            let content = try runChecked("cat", [mountPoint + "/folder/file"])
            if isKept {
                try eventually("the file is cached") { TestCache(path: directory + "/cache").isComplete("folder/file") }
            }
            return content
        }
        return (content, try String(contentsOfFile: log, encoding: .utf8))
    }

    @Test(arguments: ["nfs4,rw,local_lock=none", "nfs,vers=3", "lustre,flock", "ceph"])
    func `A cache folder that machines share caches contents and no listings, which the log says once`(
        fileSystem: String
    ) throws {
        try withS3TestServer { server in
            server.put("folder/file", .text("content"))
            try withTemporaryDirectory { directory in
                for round in 0..<2 {
                    server.clearLog()
                    let (content, log) = try read(server, cacheIn: directory, on: fileSystem, isKept: true)
                    #expect(content == "content")
                    let told = log.split(separator: "\n").filter { $0.contains("listings are not kept there") }
                    #expect(told.count == 1 && log.contains("--cache-dir"), "\(log)")
                    #expect(server.requests(.get).count == 1 - round)
                    #expect(!server.requests(.list).isEmpty)
                }
                #expect(TestCache(path: directory + "/cache").files.allSatisfy { !$0.contains("listings") })
            }
        }
    }

    @Test(arguments: ["fuse.sshfs", "beegfs", "nfs,nolock", "lustre", "9p,trans=virtio"])
    func `A cache folder whose locks do not work across machines is not used, with a warning`(
        fileSystem: String
    ) throws {
        try withS3TestServer { server in
            server.put("folder/file", .text("content"))
            try withTemporaryDirectory { directory in
                let (content, log) = try read(server, cacheIn: directory, on: fileSystem, isKept: false)
                #expect(content == "content")
                let troubles = troubles(inLog: directory + "/log")
                #expect(
                    troubles.count == 1 && troubles[0].contains("locks don't keep other machines from it"), "\(log)")
                #expect(TestCache(path: directory + "/cache").files.isEmpty)
            }
        }
    }

    @Test func `A cache folder that another machine uses is not used, with a warning`() throws {
        try withS3TestServer { server in
            server.put("folder/file", .text("content"))
            try withTemporaryDirectory { directory in
                try runChecked("mkdir", ["-m", "700", directory + "/cache"])
                try runChecked("bash", ["-c", "mkdir $0/objects; echo other > $0/machine", directory + "/cache"])
                let script = """
                    import fcntl, sys, time
                    file = open(sys.argv[1], "r+")
                    fcntl.lockf(file, fcntl.LOCK_SH)
                    print("locked", flush=True)
                    time.sleep(600)
                    """
                let other = try BackgroundProcess(
                    "python3", ["-c", script, directory + "/cache/machine"], outputDirectory: directory)
                defer { other.end() }
                try eventually("the lock: \(other.errorOutput)") { other.output == "locked\n" }
                let (content, log) = try read(server, cacheIn: directory, on: "nfs4", isKept: false)
                #expect(content == "content")
                #expect(troubles(inLog: directory + "/log").count == 1)
                #expect(log.contains("in use by another machine"), "\(log)")
            }
        }
    }

    private func expectRefusal(_ place: UnsafePlace) throws {
        try withS3TestServer { server in
            try withTemporaryDirectory { directory in
                let cache = directory + "/cache"
                try runChecked("bash", ["-c", place.script, cache])
                try runChecked("mkdir", [directory + "/mount"])
                let filesBefore = TestCache(path: cache).files
                try expectFailure(
                    of: HopelessMount(
                        "", ["--endpoint-url", server.endpointURL, "--cache-dir", cache],
                        says: ["directory \(cache)", "--cache-dir"] + place.words),
                    at: directory + "/mount")
                #expect(TestCache(path: cache).files == filesBefore, "nothing is put there")
            }
        }
    }
}
