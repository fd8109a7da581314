import Foundation
import ObjectStore
import Supervision
import TestSupport
import Testing

/// Mounts whose processes are stopped for a while, as by Ctrl-Z, a debugger, a frozen container or a paused virtual
/// machine.
@Suite(.serialized, mounts) struct StoppedMountTests {
    /// The fate of the request that is in flight meanwhile.
    enum Fate: CaseIterable {
        /// It is answered while the process is stopped.
        case answered
        /// It is never answered, as on a connection that a NAT has dropped.
        case forgotten
        /// Its connection is reset.
        case reset
    }

    private static let readTimeout = 4
    private static let hangTimeout = 3
    private static let byteCount = 3 << 20

    @Test(arguments: Fate.allCases)
    func `A mount that is stopped for longer than --read-timeout continues the read in flight`(fate: Fate) throws {
        try withS3TestServer { server in
            let body = try ObjectBody.random(byteCount: Self.byteCount)
            server.put("file", body)
            try withKilledMount(
                of: server, options: ["--no-cache", "--read-timeout", "\(Self.readTimeout)s"],
                environment: [TestOverrides.hangTimeoutVariable: "\(Self.hangTimeout)"]
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
                    letPass(.seconds(Self.readTimeout * 2), of: "twice --read-timeout")
                    #expect(reader.isRunning)
                    // The supervisor continues first, and finds a server that is still stopped.
                    for process in both {
                        kill(process, SIGCONT)
                        if process == processes.supervisor {
                            letPass(
                                .seconds(Self.hangTimeout + 2), of: "hangTimeoutVariable and two samples of Watchdog")
                        }
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

    @Test func `A mount that was stopped for a while uses no older connection`() throws {
        try withS3TestServer { server in
            for name in ["before", "after"] { server.put(Key(name), .text(name)) }
            try withMount(of: server, options: ["--no-cache", "--max-connections", "4"]) { mountPoint in
                #expect(try runChecked("cat", [mountPoint + "/before"]) == "before")
                let processes = try #require(MountProcesses(of: mountPoint))
                let both = [processes.supervisor, processes.server]
                for process in both { kill(process, SIGSTOP) }
                // An idle loop waits for 10 s at a time, and only a longer gap counts as a stop.
                letPass(.seconds(16), of: "the idle wait of NetworkLoop and its breakMin")
                for process in both { kill(process, SIGCONT) }
                // A store that does not answer on the connections from before.
                let former = server.connectionCount
                #expect(former > 0)
                #expect(try runChecked("cat", [mountPoint + "/after"]) == "after")
                try eventually("the end of the connections from before") { server.connectionCount <= 1 }
            }
        }
    }
}
