import Foundation
import ObjectStore
import Supervision
import TestSupport
import Testing

/// Mounts whose processes don't run for a while: Ctrl-Z, a debugger, a frozen container, a paused virtual machine.
@Suite("A mount that is stopped for longer than --read-timeout", .serialized, mounts)
struct StoppedMountTests {
    /// The fate of the request that is in flight meanwhile.
    enum Fate: CaseIterable {
        /// It is answered while the process is stopped.
        case answered
        /// It is never answered, as over a connection that a NAT has forgotten.
        case forgotten
        /// Its connection is reset.
        case reset
    }

    private static let readTimeout = 4
    private static let byteCount = 3 << 20

    @Test(arguments: Fate.allCases)
    func `goes on with the read that was under way`(fate: Fate) throws {
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: Self.byteCount)
            server.put("file", body)
            try withKilledMount(
                of: server, options: ["--no-cache", "--read-timeout", "\(Self.readTimeout)s"],
                environment: [TestOverrides.hangTimeoutVariable: "3"]
            ) { mount in
                let processes = try #require(MountProcesses(of: mount.point))
                switch fate {
                case .answered: server.setLatency(.seconds(2))
                case .forgotten, .reset: server.script(.gets, .linger(.stall))
                }
                server.clearLog()
                try withTemporaryDirectory { directory in
                    let copy = directory + "/copy"
                    let reader = try BackgroundProcess("cp", [mount.point + "/file", copy], outputDirectory: directory)
                    defer { reader.end() }
                    try eventually("a request") { !server.requests(.get).isEmpty }
                    let both = [processes.supervisor, processes.server]
                    for process in both { kill(process, SIGSTOP) }
                    defer { for process in both { kill(process, SIGCONT) } }
                    server.setLatency(.zero)
                    server.clearScripts()
                    if fate == .reset {
                        try server.refuseConnections()
                        try server.acceptConnections()
                    }
                    sleep(UInt32(Self.readTimeout * 2))
                    #expect(reader.isRunning)
                    // The supervisor first: it finds a server that is still stopped.
                    for process in both {
                        kill(process, SIGCONT)
                        if process == processes.supervisor { sleep(5) }
                    }
                    try reader.waitForEnd(timeout: .seconds(60))
                    #expect(reader.status == 0, "\(reader.errorOutput)\(mount.text)")
                    try expectSame(
                        withOpenFile(copy) { try $0.bytes(in: 0..<Self.byteCount + 1) }, body.allBytes)
                }
                #expect(MountProcesses(of: mount.point)?.server == processes.server, "\(mount.text)")
                #expect(!mount.text.contains("hangs"))
            }
        }
    }

    @Test func `uses no connection from before`() throws {
        try withS3TestServer { server in
            for name in ["before", "after"] { server.put(Key(name), .text(name)) }
            try withMount(of: server, options: ["--no-cache", "--max-connections", "4"]) { mountPoint in
                #expect(try runChecked("cat", [mountPoint + "/before"]) == "before")
                let processes = try #require(MountProcesses(of: mountPoint))
                let both = [processes.supervisor, processes.server]
                for process in both { kill(process, SIGSTOP) }
                // What is idle waits for 10 s at a time, and a gap is what is longer.
                sleep(16)
                for process in both { kill(process, SIGCONT) }
                // A store that answers nothing on connections that it had.
                let former = server.connectionCount
                #expect(former > 0)
                #expect(try runChecked("cat", [mountPoint + "/after"]) == "after")
                try eventually("the end of the connections from before") { server.connectionCount <= 1 }
            }
        }
    }
}
