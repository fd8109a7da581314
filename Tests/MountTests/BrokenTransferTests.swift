import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// Transfers that break and are resumed. All bytes must be of the version that the first ones were of.
@Suite(.serialized, mounts) struct BrokenTransferTests {
    @Test func `A transfer that breaks and would continue in another version fails`() throws {
        try withS3TestServer { server in
            let old = ObjectBody.pattern(seed: 1, byteCount: 512 << 10)
            server.put("f", old)
            try withMount(of: server) { mountPoint in
                server.script(.get("f"), .damage(.closeAfter(byteCount: 200_000)), count: 1)
                server.script(.get("f"), .mutate(.answerFrom(contents(seed: 2))), count: .max)
                // Already the open may fail: it fetches small files.
                let result = errno { try withOpenFile(mountPoint + "/f") { try $0.bytes(in: 0..<512 << 10) } }
                #expect(result == .staleNFSFileHandle)
            }
        }
    }

    private func contents(seed: UInt64) -> StoreContents {
        var contents = StoreContents()
        contents.put("f", .pattern(seed: seed, byteCount: 512 << 10), etag: ETag("\"another\""))
        return contents
    }
}
