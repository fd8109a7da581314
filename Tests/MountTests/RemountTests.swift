import Foundation
import ObjectStore
import TestSupport
import Testing

/// What one mount has listed, and the next one needn't.
@Suite("A mount whose folders an earlier one has listed", .serialized, mounts) struct RemountTests {
    @Test func `walks without a request, within the time to live`() throws {
        try withListedTree { tree in
            #expect(try tree.walk(["--metadata-ttl", "1h"]) == tree.paths)
            #expect(!tree.server.requests(.list).isEmpty)
            #expect(try tree.walk(["--metadata-ttl", "1h"]) == tree.paths)
            #expect(tree.server.requests(.list).isEmpty)
            #expect(try tree.warnings() == [])
        }
    }

    @Test func `asks again when the time to live is over`() throws {
        try withListedTree { tree in
            #expect(try tree.walk(["--metadata-ttl", "1h"]) == tree.paths)
            tree.server.put("new", .text("new"))
            #expect(try tree.walk(["--metadata-ttl", "0s"]) == tree.paths + ["./new"])
        }
    }

    @Test func `walks with the server gone, if listings hold forever`() throws {
        try withListedTree { tree in
            #expect(try tree.walk(["--metadata-ttl", "forever"]) == tree.paths)
            tree.server.script { _ in .refuse(.serviceUnavailable) }
            #expect(try tree.walk(["--metadata-ttl", "forever"]) == tree.paths)
        }
    }

    @Test func `asks again with no cache`() throws {
        try withListedTree { tree in
            #expect(try tree.walk(["--metadata-ttl", "1h"]) == tree.paths)
            #expect(try tree.walk(["--metadata-ttl", "1h"], cache: ["--no-cache"]) == tree.paths)
            #expect(!tree.server.requests(.list).isEmpty)
        }
    }
}
