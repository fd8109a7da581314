import DequeModule
import Logging
import Mounting
import Namespace
import SystemSupport
import struct SystemPackage.Errno

/// Who is told things that nobody asked for: the kernel, or a test in its place.
protocol NotificationDevice: Sendable {
    /// Tells one thing. May wait until a directory that is being read is free.
    func notify(_ notification: KernelNotification) throws(Errno)
}

/// Tells the kernel what to let go of.
///
/// By a thread of its own: the kernel may have it wait for a directory that some process is reading, and so for answers that
/// the other threads owe. Before there is a mount nothing is told, because the kernel knows nothing; nor is anything when it
/// has ended.
final class KernelNotifier: KernelCache {
    private enum Errand {
        case release(names: @Sendable () -> [KernelName])
        case distrust(names: @Sendable () -> [KernelName], completion: @Sendable () -> Void)

        func complete() {
            if case .distrust(_, let completion) = self { completion() }
        }
    }

    /// So many requests to let go of inodes may queue up while the kernel has the thread wait. Those beyond are dropped: what
    /// the kernel still holds is asked for again later.
    static let releaseCountMax = 64

    private struct State {
        var errands: Deque<Errand> = []
        /// How many of them are releases.
        var releaseCount = 0
        var thread: WorkerThread?
        /// Whether an errand is being done.
        var isBusy = false
        var isEnding = false

        /// Whether what is asked for now will be done.
        var takesErrands: Bool { thread != nil && !isEnding }
    }

    private let state = Monitor(State())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func release(_ names: @escaping @Sendable () -> [KernelName]) {
        state.change { state in
            guard state.takesErrands, state.releaseCount < Self.releaseCountMax else { return }
            state.releaseCount += 1
            state.errands.append(.release(names: names))
        }
    }

    func distrust(
        _ names: @escaping @Sendable () -> [KernelName], completion: @escaping @Sendable () -> Void
    ) {
        let isTaken = state.change { state in
            if state.takesErrands { state.errands.append(.distrust(names: names, completion: completion)) }
            return state.takesErrands
        }
        if !isTaken { completion() }
    }

    /// Begins to tell a kernel things, which speaks version 7 of the protocol with this minor version.
    ///
    /// - Parameter overlay: What holds on to names above the mount.
    func begin(on device: any NotificationDevice, protocolMinor: Int, overlay: OverlayDentries? = nil) {
        let messenger = KernelMessenger(
            device: device, protocolMinor: protocolMinor, overlay: overlay, logger: logger)
        let thread = WorkerThread { self.work(messenger) }
        state.change { $0.thread = thread }
    }

    /// Takes on nothing any more. What was asked for and not begun isn't done, for the kernel is about to lose it all.
    func beginEnd() {
        let dropped = state.change { state in
            state.isEnding = true
            defer { state.errands = [] }
            return state.errands
        }
        for errand in dropped { errand.complete() }
    }

    /// Whether the kernel is being told something.
    var isBusy: Bool {
        state.look { $0.isBusy }
    }

    /// Waits for the thread, which ends after what it is about.
    func finishEnd() {
        state.change { state in
            defer { state.thread = nil }
            return state.thread
        }?.join()
    }

    private func work(_ messenger: KernelMessenger) {
        var messenger = messenger
        while let errand = nextErrand() {
            switch errand {
            case .release(let names): messenger.release(names())
            case .distrust(let names, _): messenger.distrust(names)
            }
            errand.complete()
            state.change { $0.isBusy = false }
        }
    }

    /// The next one, when there is one; `nil` at the end.
    private func nextErrand() -> Errand? {
        state.wait { state -> Errand?? in
            if state.isEnding { return .some(nil) }
            guard let errand = state.errands.popFirst() else { return nil }
            if case .release = errand { state.releaseCount -= 1 }
            state.isBusy = true
            return errand
        }
    }
}
