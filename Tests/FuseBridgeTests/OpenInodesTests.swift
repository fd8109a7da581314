import BlockCache
import FileSystem
import Logging
import Namespace
import StateLog
import SystemPackage
import Synchronization
import Testing
import TestSupport

@testable import FuseBridge

/// A fake kernel that registers or refuses backing files.
private final class FakeDevice: BackingDevice {
    private struct State {
        var registered: Set<BackingID> = []
        var registerCount = 0
        var refusal: Errno?
    }

    private let state = Mutex(State())

    var registered: Set<BackingID> { state.withLock { $0.registered } }
    /// The number of attempts to register a file.
    var registerCount: Int { state.withLock { $0.registerCount } }

    func refuse(_ errno: Errno?) {
        state.withLock { $0.refusal = errno }
    }

    func registerBacking(_ file: FileDescriptor) throws(Errno) -> BackingID {
        try state.withLock { state throws(Errno) in
            state.registerCount += 1
            if let refusal = state.refusal { throw refusal }
            let id = BackingID(rawValue: Int32(state.registerCount))
            state.registered.insert(id)
            return id
        }
    }

    func unregisterBacking(_ id: BackingID) {
        let wasRegistered = state.withLock { $0.registered.remove(id) != nil }
        #expect(wasRegistered, "\(id) was taken back twice, or never lent")
    }
}

/// Opens and releases files like the kernel, which may release any handle of an inode.
private final class OpenFiles: Sendable {
    let passthrough: Passthrough
    private let opened = Mutex((handles: [InodeID: [Handle]](), lastNumber: UInt64(0)))

    var handles: [InodeID: [Handle]] { opened.withLock { $0.handles } }

    init(of passthrough: Passthrough) {
        self.passthrough = passthrough
    }

    func wantsFile(of inode: InodeID) -> Bool { passthrough.wantsFile(of: inode) }

    func open(_ inode: InodeID, file: CompleteFile?) -> BackingID? {
        let handle = opened.withLock { opened in
            opened.lastNumber += 1
            return Handle(rawValue: opened.lastNumber)
        }
        // The kernel releases no handle before it has the reply.
        defer { opened.withLock { $0.handles[inode, default: []].append(handle) } }
        return passthrough.open(inode, handle, file: file)
    }

    func release(_ inode: InodeID) {
        guard let handle = opened.withLock({ $0.handles[inode]?.popLast() }) else { return }
        passthrough.release(inode, handle)
    }
}

@Suite("Sources of open inodes") struct OpenInodesTests {
    private let device = FakeDevice()
    private let inode = InodeID(rawValue: 7)
    private let log = LogLines()

    private func passthrough(isOffered: Bool = true) -> OpenFiles {
        let passthrough = Passthrough(logger: log.logger)
        if isOffered { passthrough.begin(on: device) }
        return OpenFiles(of: passthrough)
    }

    private func file() throws -> CompleteFile {
        CompleteFile(takingOwnershipOf: try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec))
    }

    @Test func `handles of an inode share one backing file, which is unregistered after the last`() throws {
        let passthrough = passthrough()
        let id = try #require(passthrough.open(inode, file: try file()))
        #expect(passthrough.open(inode, file: try file()) == id)
        #expect(passthrough.open(inode, file: nil) == id, "also without a file of its own")
        #expect(device.registerCount == 1)
        passthrough.release(inode)
        passthrough.release(inode)
        #expect(device.registered == [id])
        passthrough.release(inode)
        #expect(device.registered.isEmpty)
        #expect(passthrough.open(inode, file: nil) == nil, "the next open decides anew")
    }

    @Test func `while a handle is read through this process, so are the others`() throws {
        let passthrough = passthrough()
        #expect(passthrough.open(inode, file: nil) == nil)
        #expect(passthrough.open(inode, file: try file()) == nil)
        passthrough.release(inode)
        #expect(passthrough.open(inode, file: try file()) == nil)
        #expect(device.registerCount == 0)
        passthrough.release(inode)
        passthrough.release(inode)
        #expect(passthrough.open(inode, file: try file()) != nil)
    }

    @Test func `each inode has its own source`() throws {
        let passthrough = passthrough()
        let other = InodeID(rawValue: 8)
        let id = try #require(passthrough.open(inode, file: try file()))
        let otherID = try #require(passthrough.open(other, file: try file()))
        #expect(id != otherID)
        passthrough.release(inode)
        #expect(device.registered == [otherID])
    }

    @Test func `a backing file is used for the first open only`() throws {
        let passthrough = passthrough()
        #expect(passthrough.wantsFile(of: inode))
        _ = passthrough.open(inode, file: nil)
        #expect(!passthrough.wantsFile(of: inode))
        passthrough.release(inode)
        #expect(passthrough.wantsFile(of: inode))
    }

    @Test func `a backing file stays open as long as it is registered`() throws {
        let passthrough = passthrough()
        weak var kept: CompleteFile?
        do {
            let file = try file()
            kept = file
            _ = passthrough.open(inode, file: file)
        }
        #expect(kept != nil)
        passthrough.release(inode)
        #expect(kept == nil)
    }

    @Test func `no backing file is registered before the kernel offers passthrough`() throws {
        let passthrough = passthrough(isOffered: false)
        #expect(!passthrough.wantsFile(of: inode))
        #expect(passthrough.open(inode, file: try file()) == nil)
        passthrough.release(inode)
    }

    @Test(
        "a refusal that applies to all files is logged once, and no file is registered any more",
        arguments: [
            Errno.notPermitted, .notSupportedOnSocket, .inappropriateIOCTLForDevice, .tooManySymbolicLinkLevels,
        ])
    func lastingRefusal(errno: Errno) throws {
        let passthrough = passthrough()
        let other = InodeID(rawValue: 8)
        let otherID = try #require(passthrough.open(other, file: try file()))
        device.refuse(errno)
        #expect(passthrough.open(inode, file: try file()) == nil)
        #expect(!passthrough.wantsFile(of: InodeID(rawValue: 9)))
        device.refuse(nil)
        #expect(passthrough.open(InodeID(rawValue: 9), file: try file()) == nil)
        #expect(device.registerCount == 2)
        #expect(log.levels == [.info])
        #expect(passthrough.open(other, file: nil) == otherID, "what is lent already stays so")
        passthrough.release(other)
        passthrough.release(other)
        #expect(device.registered.isEmpty)
    }

    @Test func `any other refusal of a backing file affects one open`() throws {
        let passthrough = passthrough()
        device.refuse(.tooManyOpenFiles)
        #expect(passthrough.open(inode, file: try file()) == nil)
        device.refuse(nil)
        #expect(passthrough.open(inode, file: try file()) == nil, "its handle is read through us")
        #expect(passthrough.open(InodeID(rawValue: 8), file: try file()) != nil)
        #expect(log.levels == [.debug])
    }

    @Test func `the number of backing files is limited, for the sake of descriptors`() throws {
        let passthrough = passthrough()
        let file = try file()
        let inodes = (0..<Passthrough.backingFileCountMax).map { InodeID(rawValue: UInt64(100 + $0)) }
        #expect(inodes.allSatisfy { passthrough.open($0, file: file) != nil })
        #expect(!passthrough.wantsFile(of: inode))
        #expect(passthrough.open(inode, file: file) == nil)
        #expect(passthrough.open(inodes[0], file: nil) != nil, "what is lent can be opened again")
        passthrough.release(inode)
        passthrough.release(inodes[1])
        #expect(passthrough.open(inode, file: file) != nil)
        #expect(device.registered.count == Passthrough.backingFileCountMax)
    }

    @Test func `concurrent opens and releases leave no backing file registered`() async throws {
        let passthrough = passthrough()
        let file = try file()
        await withTaskGroup { group in
            for worker in 0..<8 {
                group.addTask {
                    for round in 0..<1_000 {
                        let inode = InodeID(rawValue: UInt64((worker + round) % 3 + 2))
                        _ = passthrough.open(inode, file: round % 5 == 0 ? nil : file)
                        passthrough.release(inode)
                    }
                }
            }
        }
        #expect(device.registered.isEmpty)
        #expect((2..<5).allSatisfy { passthrough.wantsFile(of: InodeID(rawValue: $0)) })
    }

    // MARK: After a crash

    private func successor(
        of state: StateLog, handles: [InodeID: [Handle]], file: CompleteFile? = nil
    ) throws -> Passthrough {
        let passthrough = Passthrough(log: try logAfterKill(of: state), logger: log.logger)
        try passthrough.restore(handles.flatMap { inode, handles in handles.map { ($0, inode) } }) { _ in file }
        passthrough.begin(on: device)
        return passthrough
    }

    @Test func `a successor keeps the source of open inodes, and unregisters their files in the end`() throws {
        let state = try StateLog.create(logger: log.logger)
        let first = OpenFiles(of: Passthrough(log: state, logger: log.logger))
        first.passthrough.begin(on: device)
        let through = InodeID(rawValue: 8)
        let id = try #require(first.open(inode, file: try file()))
        _ = first.open(inode, file: nil)
        _ = first.open(through, file: nil)
        weak var kept: CompleteFile?
        let second: Passthrough
        do {
            let file = try file()
            kept = file
            second = try successor(of: state, handles: first.handles, file: file)
        }
        #expect(kept != nil, "the cache shall know that it is in use")
        #expect(!second.wantsFile(of: inode))
        let own = Handle(rawValue: 1 << 41)
        #expect(second.open(inode, own, file: try file()) == id)
        #expect(second.open(through, own, file: try file()) == nil)
        for handle in try #require(first.handles[inode]) {
            second.release(inode, handle)
            // The kernel may resend the request if the reply was lost.
            second.release(inode, handle)
        }
        #expect(device.registered == [id])
        second.release(inode, own)
        #expect(device.registered.isEmpty)
        #expect(kept == nil)
    }

    @Test func `a successor unregisters backing files without handles`() throws {
        let state = try StateLog.create(logger: log.logger)
        let first = OpenFiles(of: Passthrough(log: state, logger: log.logger))
        first.passthrough.begin(on: device)
        let id = try #require(first.open(inode, file: try file()))
        let other = try #require(first.open(InodeID(rawValue: 8), file: try file()))
        #expect(device.registered == [id, other])
        let handles = first.handles.filter { $0.key == inode }
        let second = try successor(of: state, handles: handles)
        #expect(device.registered == [id])
        for handle in try #require(handles[inode]) { second.release(inode, handle) }
        #expect(device.registered.isEmpty)
        #expect(second.wantsFile(of: inode), "the next open decides anew")
    }
}
