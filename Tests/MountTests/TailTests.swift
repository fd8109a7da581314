import ObjectStore
import TestSupport
import Testing

/// Programs that wait for a file to grow.
@Suite(mounts) struct TailTests {
    @Test func `tail -F follows a new version of its file, and a file that was deleted in between`() throws {
        try withS3TestServer { server in
            server.put("log", .text("one\n"))
            try withMount(of: server, options: ["--metadata-ttl", "1s"]) { mountPoint in
                try withTemporaryDirectory { directory in
                    let tail = try BackgroundProcess(
                        "env",
                        [
                            "LC_ALL=C", "tail", "-F", "--sleep-interval=0.1", "--max-unchanged-stats=1",
                            mountPoint + "/log",
                        ],
                        outputDirectory: directory)
                    defer { tail.end() }
                    try eventually("the first version") { tail.output == "one\n" }
                    server.put("log", .text("one\ntwo\n"))
                    try eventually("the second version") {
                        try runChecked("cat", [mountPoint + "/log"]) == "one\ntwo\n"
                    }
                    server.delete("log")
                    try eventually("the end of the object") { tail.errorOutput.contains("has become inaccessible") }
                    // tail has looked at the name after the second version was visible.
                    #expect(tail.output == "one\n")
                    server.put("log", .text("back\n"))
                    try eventually("the object that is back") { tail.output == "one\nback\n" }
                    #expect(tail.errorOutput.contains("has appeared"))
                }
            }
        }
    }
}
