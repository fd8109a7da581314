import ObjectStore
import TestSupport
import Testing

/// A machine whose clock is wrong: signatures hold for fifteen minutes.
@Suite(mounts) struct ClockTests {
    @Test(arguments: [3_600, -3_600, 0])
    func `A store whose clock is an hour off is read from after one refusal`(seconds: Int) throws {
        try withS3TestServer { server in
            for index in 0..<20 { server.put(Key("f\(index)"), .pattern(seed: UInt64(index), byteCount: 300_000)) }
            server.setClock(aheadBySeconds: seconds)
            try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                for index in 0..<20 {
                    try checkWhole("\(mountPoint)/f\(index)", .pattern(seed: UInt64(index), byteCount: 300_000))
                }
                // The mount's own question has taught it.
                #expect(server.log.allSatisfy { $0.status == 206 || $0.status == 200 })
            }
        }
    }

    @Test func `A mount follows a store whose clock is set while it is mounted`() throws {
        try withS3TestServer { server in
            server.put("a", .text("a"))
            server.put("b", .text("b"))
            server.setClock(aheadBySeconds: 0)
            try withMount(of: server, options: ["--no-cache", "--metadata-ttl", "forever"]) { mountPoint in
                server.setClock(aheadBySeconds: 7_200)
                try #expect(runChecked("cat", ["\(mountPoint)/a"]) == "a")
                server.setClock(aheadBySeconds: -7_200)
                try #expect(runChecked("cat", ["\(mountPoint)/b"]) == "b")
                #expect(server.log.contains { $0.status == 403 })
            }
        }
    }
}
