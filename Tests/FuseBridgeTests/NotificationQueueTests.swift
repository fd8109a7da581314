import Mounting
import Logging
import Namespace
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import FuseBridge

/// A fake kernel that records notifications, and refuses those that the test selects.
private final class FakeKernel: NotificationDevice {
    private struct State {
        var notifications: [KernelNotification] = []
        var refusals: [Errno] = []
        var isBlocked = false
    }

    private let state = Mutex(State())

    var notifications: [KernelNotification] { state.withLock { $0.notifications } }

    /// Makes the next notifications fail with these errors.
    func refuse(_ errors: Errno...) {
        state.withLock { $0.refusals += errors }
    }

    /// Makes notifications wait, as for a directory that is being read.
    func block(_ isBlocked: Bool) {
        state.withLock { $0.isBlocked = isBlocked }
    }

    func notify(_ notification: KernelNotification) throws(Errno) {
        let refusal = state.withLock { state -> Errno? in
            state.notifications.append(notification)
            return state.refusals.isEmpty ? nil : state.refusals.removeFirst()
        }
        try? eventually("the end of the wait") { !state.withLock { $0.isBlocked } }
        if let refusal { throw refusal }
    }
}

private let file = KernelName(parent: .root, name: Array("f".utf8), child: InodeID(rawValue: 7), isDirectory: false)
private let folder = KernelName(
    parent: InodeID(rawValue: 9), name: Array("d".utf8), child: InodeID(rawValue: 8), isDirectory: true)

@Suite("Notifications to the kernel") struct NotificationQueueTests {
    private let kernel = FakeKernel()
    private let log = LogLines()

    private func invalidator(protocolMinor: Int) -> KernelInvalidator {
        KernelInvalidator(device: kernel, protocolMinor: protocolMinor, logger: log.logger)
    }

    @Test func `names below an overlay are expired one by one, since overlayfs returns ESTALE otherwise`() {
        let overlay = OverlayDentries(overlaidAt: "/nowhere", device: FileDescriptor(rawValue: -1))
        var invalidator = KernelInvalidator(device: kernel, protocolMinor: 45, overlay: overlay, logger: log.logger)
        invalidator.invalidate { [file, folder] }
        #expect(
            kernel.notifications == [file, folder].map { .expire(parent: $0.parent, name: $0.name) })
    }

    @Test(
        "the notifications that release inodes depend on the protocol version",
        arguments: [
            (45, [.prune([InodeID(rawValue: 7), InodeID(rawValue: 8)])]),
            (44, [.drop(parent: .root, name: Array("f".utf8))]), (31, [.drop(parent: .root, name: Array("f".utf8))]),
        ] as [(Int, [KernelNotification])])
    func release(protocolMinor: Int, notifications: [KernelNotification]) {
        var invalidator = invalidator(protocolMinor: protocolMinor)
        invalidator.release([file, folder])
        #expect(kernel.notifications == notifications)
    }

    @Test(
        "the notifications that invalidate names depend on the protocol version",
        arguments: [
            (45, [.incrementEpoch]), (44, [.incrementEpoch]),
            (
                43,
                [
                    .expire(parent: .root, name: Array("f".utf8)),
                    .expire(parent: InodeID(rawValue: 9), name: Array("d".utf8)),
                ]
            ),
            (37, [.drop(parent: .root, name: Array("f".utf8))]),
        ] as [(Int, [KernelNotification])])
    func invalidate(protocolMinor: Int, notifications: [KernelNotification]) {
        var invalidator = invalidator(protocolMinor: protocolMinor)
        invalidator.invalidate { [file, folder] }
        #expect(kernel.notifications == notifications)
    }

    @Test(
        "a notification that the kernel refuses is logged once and replaced permanently",
        arguments: [Errno.invalidArgument, .noFunction])
    func refusal(errno: Errno) {
        var invalidator = invalidator(protocolMinor: 45)
        kernel.refuse(errno)
        invalidator.release([file])
        invalidator.release([file])
        let drop = KernelNotification.drop(parent: .root, name: file.name)
        #expect(kernel.notifications == [.prune([file.child]), drop, drop])
        kernel.refuse(errno)
        invalidator.invalidate { [file] }
        invalidator.invalidate { [file] }
        let expire = KernelNotification.expire(parent: .root, name: file.name)
        #expect(kernel.notifications.dropFirst(3) == [.incrementEpoch, expire, expire])
        #expect(log.levels == [.info, .info])
    }

    @Test func `a notification about a name that the kernel has forgotten is not replaced`() {
        var invalidator = invalidator(protocolMinor: 45)
        kernel.refuse(.noSuchFileOrDirectory)
        invalidator.release([file])
        invalidator.release([file])
        #expect(kernel.notifications == [.prune([file.child]), .prune([file.child])])
        #expect(log.levels.isEmpty)
    }

    @Test func `many inodes are released by several notifications`() {
        var invalidator = invalidator(protocolMinor: 45)
        let names = (2..<1_100).map {
            KernelName(parent: .root, name: file.name, child: InodeID(rawValue: $0), isDirectory: false)
        }
        invalidator.release(names)
        let ids = kernel.notifications.map { notification -> [InodeID] in
            if case .prune(let ids) = notification { ids } else { [] }
        }
        #expect(ids.map(\.count) == [512, 512, 74])
        #expect(ids.flatMap { $0 } == names.map(\.child))
    }

    @Test func `notifications have the bytes of linux slash fuse dot h`() {
        #expect(KernelNotification.incrementEpoch.bytes == [16, 0, 0, 0, 8, 0, 0, 0] + Array(repeating: 0, count: 8))
        #expect(
            KernelNotification.prune([InodeID(rawValue: 0x0102_0000_0003)]).bytes
                == [40, 0, 0, 0, 9, 0, 0, 0] + Array(repeating: 0, count: 8) + [1, 0, 0, 0]
                + Array(repeating: 0, count: 12) + [3, 0, 0, 0, 2, 1, 0, 0])
        #expect(
            KernelNotification.expire(parent: .root, name: [65, 66]).bytes
                == [35, 0, 0, 0, 3, 0, 0, 0] + Array(repeating: 0, count: 8) + [1, 0, 0, 0, 0, 0, 0, 0]
                + [2, 0, 0, 0, 1, 0, 0, 0, 65, 66, 0])
    }

    @Test func `callers of the notification queue do not wait, and its end completes all commands`() throws {
        let queue = NotificationQueue(logger: log.logger)
        let doneCount = Atomic(0)
        let invalidate: @Sendable () -> Void = {
            queue.invalidate({ [] }, completion: { doneCount.add(1, ordering: .relaxed) })
        }
        // Without a mount there is no kernel to notify.
        invalidate()
        #expect(doneCount.load(ordering: .relaxed) == 1)
        kernel.block(true)
        queue.begin(on: kernel, protocolMinor: 45)
        invalidate()
        try eventually("the notification") { kernel.notifications == [.incrementEpoch] }
        invalidate()
        queue.release { [file] }
        #expect(doneCount.load(ordering: .relaxed) == 1)
        queue.beginEnd()
        #expect(doneCount.load(ordering: .relaxed) == 2)
        #expect(queue.isBusy)
        kernel.block(false)
        queue.finishEnd()
        #expect(doneCount.load(ordering: .relaxed) == 3)
        invalidate()
        #expect(doneCount.load(ordering: .relaxed) == 4)
        #expect(kernel.notifications == [.incrementEpoch])
    }

    @Test func `releases of inodes are queued up to a limit while the kernel waits`() throws {
        let queue = NotificationQueue(logger: log.logger)
        kernel.block(true)
        queue.begin(on: kernel, protocolMinor: 45)
        queue.invalidate({ [] }, completion: {})
        try eventually("the notification") { !kernel.notifications.isEmpty }
        for _ in 0..<10 * NotificationQueue.releaseCountMax { queue.release { [file] } }
        kernel.block(false)
        let isDone = Atomic(false)
        queue.invalidate({ [] }, completion: { isDone.store(true, ordering: .relaxed) })
        try eventually("the last command") { isDone.load(ordering: .relaxed) }
        #expect(kernel.notifications.count == 2 + NotificationQueue.releaseCountMax)
        queue.beginEnd()
        queue.finishEnd()
    }
}
