import Logging
import Mounting
import Namespace
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import FuseBridge

/// The kernel's part: notes what it is told, and refuses what the test says.
private final class FakeKernel: NotificationDevice {
    private struct State {
        var told: [KernelNotification] = []
        var refusals: [Errno] = []
        var isBlocked = false
    }

    private let state = Mutex(State())

    var told: [KernelNotification] { state.withLock { $0.told } }

    /// The next notifications end with these errors.
    func refuse(_ errors: Errno...) {
        state.withLock { $0.refusals += errors }
    }

    /// Whether notifications wait, as for a directory that is being read.
    func block(_ isBlocked: Bool) {
        state.withLock { $0.isBlocked = isBlocked }
    }

    func notify(_ notification: KernelNotification) throws(Errno) {
        let refusal = state.withLock { state -> Errno? in
            state.told.append(notification)
            return state.refusals.isEmpty ? nil : state.refusals.removeFirst()
        }
        try? eventually("the end of the wait") { !state.withLock { $0.isBlocked } }
        if let refusal { throw refusal }
    }
}

private let file = KernelName(parent: .root, name: Array("f".utf8), child: InodeID(rawValue: 7), isDirectory: false)
private let folder = KernelName(
    parent: InodeID(rawValue: 9), name: Array("d".utf8), child: InodeID(rawValue: 8), isDirectory: true)

@Suite("What the kernel is told") struct KernelNotifierTests {
    private let kernel = FakeKernel()
    private let log = LogLines()

    private func messenger(protocolMinor: Int) -> KernelMessenger {
        KernelMessenger(device: kernel, protocolMinor: protocolMinor, logger: log.logger)
    }

    @Test func `to ask again about each name below an overlay, which would take the others for stale ones`() {
        let overlay = OverlayDentries(overlaidAt: "/nowhere", device: FileDescriptor(rawValue: -1))
        var messenger = KernelMessenger(device: kernel, protocolMinor: 45, overlay: overlay, logger: log.logger)
        messenger.distrust { [file, folder] }
        #expect(
            kernel.told == [file, folder].map { .expire(parent: $0.parent, name: $0.name) })
    }

    @Test(
        "to forget inodes depends on what it understands",
        arguments: [
            (45, [.prune([InodeID(rawValue: 7), InodeID(rawValue: 8)])]),
            (44, [.drop(parent: .root, name: Array("f".utf8))]), (31, [.drop(parent: .root, name: Array("f".utf8))]),
        ] as [(Int, [KernelNotification])])
    func release(protocolMinor: Int, told: [KernelNotification]) {
        var messenger = messenger(protocolMinor: protocolMinor)
        messenger.release([file, folder])
        #expect(kernel.told == told)
    }

    @Test(
        "to ask again about names depends on what it understands",
        arguments: [
            (45, [.distrustAll]), (44, [.distrustAll]),
            (
                43,
                [
                    .expire(parent: .root, name: Array("f".utf8)),
                    .expire(parent: InodeID(rawValue: 9), name: Array("d".utf8)),
                ]
            ),
            (37, [.drop(parent: .root, name: Array("f".utf8))]),
        ] as [(Int, [KernelNotification])])
    func distrust(protocolMinor: Int, told: [KernelNotification]) {
        var messenger = messenger(protocolMinor: protocolMinor)
        messenger.distrust { [file, folder] }
        #expect(kernel.told == told)
    }

    @Test("falls back for good, and is logged once, where it refuses", arguments: [Errno.invalidArgument, .noFunction])
    func refusal(errno: Errno) {
        var messenger = messenger(protocolMinor: 45)
        kernel.refuse(errno)
        messenger.release([file])
        messenger.release([file])
        let drop = KernelNotification.drop(parent: .root, name: file.name)
        #expect(kernel.told == [.prune([file.child]), drop, drop])
        kernel.refuse(errno)
        messenger.distrust { [file] }
        messenger.distrust { [file] }
        let expire = KernelNotification.expire(parent: .root, name: file.name)
        #expect(kernel.told.dropFirst(3) == [.distrustAll, expire, expire])
        #expect(log.levels == [.info, .info])
    }

    @Test func `does not fall back because of a name that the kernel has forgotten meanwhile`() {
        var messenger = messenger(protocolMinor: 45)
        kernel.refuse(.noSuchFileOrDirectory)
        messenger.release([file])
        messenger.release([file])
        #expect(kernel.told == [.prune([file.child]), .prune([file.child])])
        #expect(log.levels.isEmpty)
    }

    @Test func `many inodes are named in several notifications`() {
        var messenger = messenger(protocolMinor: 45)
        let names = (2..<1_100).map {
            KernelName(parent: .root, name: file.name, child: InodeID(rawValue: $0), isDirectory: false)
        }
        messenger.release(names)
        let ids = kernel.told.map { told -> [InodeID] in if case .prune(let ids) = told { ids } else { [] } }
        #expect(ids.map(\.count) == [512, 512, 74])
        #expect(ids.flatMap { $0 } == names.map(\.child))
    }

    @Test func `the bytes are those of linux slash fuse dot h`() {
        #expect(KernelNotification.distrustAll.bytes == [16, 0, 0, 0, 8, 0, 0, 0] + Array(repeating: 0, count: 8))
        #expect(
            KernelNotification.prune([InodeID(rawValue: 0x0102_0000_0003)]).bytes
                == [40, 0, 0, 0, 9, 0, 0, 0] + Array(repeating: 0, count: 8) + [1, 0, 0, 0]
                + Array(repeating: 0, count: 12) + [3, 0, 0, 0, 2, 1, 0, 0])
        #expect(
            KernelNotification.expire(parent: .root, name: [65, 66]).bytes
                == [35, 0, 0, 0, 3, 0, 0, 0] + Array(repeating: 0, count: 8) + [1, 0, 0, 0, 0, 0, 0, 0]
                + [2, 0, 0, 0, 1, 0, 0, 0, 65, 66, 0])
    }

    @Test func `nobody waits while the kernel does, and at the end what was not begun is answered`() throws {
        let notifier = KernelNotifier(logger: log.logger)
        let doneCount = Atomic(0)
        let distrust: @Sendable () -> Void = {
            notifier.distrust({ [] }, completion: { doneCount.add(1, ordering: .relaxed) })
        }
        // There is no mount yet, and so nothing to tell.
        distrust()
        #expect(doneCount.load(ordering: .relaxed) == 1)
        kernel.block(true)
        notifier.begin(on: kernel, protocolMinor: 45)
        distrust()
        try eventually("the notification") { kernel.told == [.distrustAll] }
        distrust()
        notifier.release { [file] }
        #expect(doneCount.load(ordering: .relaxed) == 1)
        notifier.beginEnd()
        #expect(doneCount.load(ordering: .relaxed) == 2)
        #expect(notifier.isBusy)
        kernel.block(false)
        notifier.finishEnd()
        #expect(doneCount.load(ordering: .relaxed) == 3)
        distrust()
        #expect(doneCount.load(ordering: .relaxed) == 4)
        #expect(kernel.told == [.distrustAll])
    }

    @Test func `to let go of inodes queues up within a limit while the kernel waits`() throws {
        let notifier = KernelNotifier(logger: log.logger)
        kernel.block(true)
        notifier.begin(on: kernel, protocolMinor: 45)
        notifier.distrust({ [] }, completion: {})
        try eventually("the notification") { !kernel.told.isEmpty }
        for _ in 0..<10 * KernelNotifier.releaseCountMax { notifier.release { [file] } }
        kernel.block(false)
        let isDone = Atomic(false)
        notifier.distrust({ [] }, completion: { isDone.store(true, ordering: .relaxed) })
        try eventually("the last errand") { isDone.load(ordering: .relaxed) }
        #expect(kernel.told.count == 2 + KernelNotifier.releaseCountMax)
        notifier.beginEnd()
        notifier.finishEnd()
    }
}
