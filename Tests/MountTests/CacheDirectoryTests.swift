import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

/// A place for a cache that won't do.
struct UnsafePlace: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Makes it; `$0` of the shell is its path.
    let script: String
    /// What stands in the message.
    let words: [String]
}

@Suite("A directory for the cache", .serialized, mounts) struct CacheDirectoryTests {
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

    @Test("is refused with a reason, and nothing is mounted, if it is", arguments: places)
    func refused(place: UnsafePlace) throws {
        try expectRefusal(place)
    }

    @Test(.enabled(if: geteuid() == 0, "needs root, to give a directory away"))
    func `is refused if it is another user's`() throws {
        try expectRefusal(
            UnsafePlace(
                testDescription: "another user's", script: #"mkdir -m 700 "$0" && chown 65534 "$0""#,
                words: ["belongs to another user", "65534"]))
    }

    @Test func `is refused within the mount point, where it would be hidden`() throws {
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

    @Test func `may be the top of a new file system`() throws {
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

    @Test func `is refused if it was asked for and can't be made`() throws {
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

    /// In a mount namespace of its own, where nothing can be made in the place of the standard directory. It and the
    /// mount are gone with the last process in it.
    @Test(.enabled(if: geteuid() == 0, "needs root, to change where the standard directory is made"))
    func `is done without, with a warning, if nobody asked for it and it can't be made`() throws {
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
