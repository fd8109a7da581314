import DequeModule
import Logging
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
        case release([KernelName])
        case distrust(names: @Sendable () -> [KernelName], completion: @Sendable () -> Void)

        func complete() {
            if case .distrust(_, let completion) = self { completion() }
        }
    }

    private struct State {
        var errands: Deque<Errand> = []
        var thread: WorkerThread?
        /// Whether an errand is being done.
        var isBusy = false
        var isEnding = false
    }

    private let state = Monitor(State())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func release(_ names: [KernelName]) {
        if !names.isEmpty { add(.release(names)) }
    }

    func distrust(
        _ names: @escaping @Sendable () -> [KernelName], completion: @escaping @Sendable () -> Void
    ) {
        if !add(.distrust(names: names, completion: completion)) { completion() }
    }

    /// Returns whether the errand will be done.
    @discardableResult
    private func add(_ errand: Errand) -> Bool {
        state.change { state in
            guard state.thread != nil, !state.isEnding else { return false }
            state.errands.append(errand)
            return true
        }
    }

    /// Begins to tell a kernel things, which speaks version 7 of the protocol with this minor version.
    func begin(on device: any NotificationDevice, protocolMinor: Int) {
        let messenger = KernelMessenger(device: device, protocolMinor: protocolMinor, logger: logger)
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
            case .release(let names): messenger.release(names)
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
            state.isBusy = true
            return errand
        }
    }
}
