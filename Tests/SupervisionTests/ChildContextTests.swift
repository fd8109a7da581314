import Mounting
import SystemPackage
import SystemSupport
import Testing

@testable import Supervision

@Suite("The context of a child process") struct ChildContextTests {
    private func variables(_ context: ChildContext, addedTo variables: [String: String] = [:]) -> [String: String] {
        let pairs = context.environment(addedTo: variables).map { variable in
            let parts = variable.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (String(parts[0]), String(parts[1]))
        }
        return Dictionary(pairs) { first, _ in first }
    }

    private var fullContext: ChildContext {
        var context = ChildContext(.upgradedSupervisor)
        context.workingDirectory = "/home/a b"
        context.startReport = FileDescriptor(rawValue: 3)
        context.supervisor = FileDescriptor(rawValue: 4)
        context.sharedState = FileDescriptor(rawValue: 5)
        context.stateLog = [6, 7].map { FileDescriptor(rawValue: $0) }
        context.device = FileDescriptor(rawValue: 8)
        context.mount = MountIdentity(path: "/mnt/a=b c", device: "0:53")
        context.server = 123
        context.overlay = FileDescriptor(rawValue: 9)
        context.lowerMountSocket = FileDescriptor(rawValue: 10)
        context.owner = FileDescriptor(rawValue: 11)
        return context
    }

    @Test func `a context with all fields is the same after passing through an environment`() throws {
        let context = fullContext
        let read = try #require(ChildContext(parsing: variables(context)))
        #expect(read.role == context.role && read.workingDirectory == context.workingDirectory)
        #expect(read.startReport == context.startReport && read.supervisor == context.supervisor)
        #expect(read.sharedState == context.sharedState && read.stateLog == context.stateLog)
        #expect(read.device == context.device && read.mount == context.mount && read.server == context.server)
        #expect(read.overlay == context.overlay && read.lowerMountSocket == context.lowerMountSocket)
        #expect(read.owner == context.owner)
        #expect(Set(read.descriptors.map(\.rawValue)) == Set(3...11))
    }

    @Test func `a context without fields is the same after passing through an environment`() throws {
        let read = try #require(ChildContext(parsing: variables(ChildContext(.server))))
        #expect(read.role == .server && read.descriptors.isEmpty && read.mount == nil && read.server == nil)
    }

    @Test func `a context replaces the one in the environment, and leaves all other variables alone`() {
        let variables = variables(
            ChildContext(.trial), addedTo: variables(fullContext, addedTo: ["PATH": "/bin", "TRACTFS_OVERLAY": "/o"]))
        #expect(variables["PATH"] == "/bin" && variables["TRACTFS_OVERLAY"] == "/o")
        #expect(ChildContext(parsing: variables)?.descriptors == [])
        #expect(ChildContext.isPresent(in: variables))
        #expect(!ChildContext.isPresent(in: ["PATH": "/bin", "TRACTFS_OVERLAY": "/o"]))
    }

    @Test func `a context of an unknown format is refused, and its supervisor is told`() throws {
        let (ours, theirs) = try MessageSocket.pair()
        defer { for socket in [ours, theirs] { try? socket.close() } }
        var context = ChildContext(.trial)
        context.supervisor = theirs
        var variables = variables(context)
        variables["_TRACTFS_CHILD_FORMAT"] = "99"
        #expect(ChildContext.isPresent(in: variables))
        #expect(ChildContext(parsing: variables) == nil)
        #expect(ChildContext.refuse(variables).description.contains("format 99"))
        guard case .failed(let reason) = ServerReport.receive(over: ours)?.0 else {
            Issue.record("no report")
            return
        }
        #expect(reason.contains("format 99"))
    }

    @Test func `a context of the first format, which had no number, is refused, and its supervisor is told`() throws {
        let (ours, theirs) = try MessageSocket.pair()
        defer { for socket in [ours, theirs] { try? socket.close() } }
        let variables = ["TRACTFS_ROLE": "trial", "TRACTFS_DESCRIPTORS": "-1,\(theirs.rawValue),-1,-1"]
        #expect(ChildContext.isPresent(in: variables))
        #expect(ChildContext(parsing: variables) == nil)
        #expect(ChildContext.refuse(variables).description.contains("format 1"))
        guard case .failed = ServerReport.receive(over: ours)?.0 else {
            Issue.record("no report")
            return
        }
    }
}
