import Mounting
import DequeModule
import Logging
import Namespace
import SystemSupport
import struct SystemPackage.Errno

/// The receiver of notifications: the kernel, or a fake in tests.
protocol NotificationDevice: Sendable {
    /// Sends a notification. May wait until a directory that is being read is free.
    func notify(_ notification: KernelNotification) throws(Errno)
}

/// The queue of cached names that the kernel is to invalidate or to forget.
///
/// A thread of its own sends the notifications: the kernel may make it wait for a directory that a process is reading,
/// and so for replies that other threads owe. Nothing is sent before the mount begins or after it has ended, since the
/// kernel then has no cached names.
final class NotificationQueue: KernelCache {
    private enum Command {
        case release(names: @Sendable () -> [KernelName])
        case invalidate(names: @Sendable () -> [KernelName], completion: @Sendable () -> Void)

        func complete() {
            if case .invalidate(_, let completion) = self { completion() }
        }
    }

    /// The maximum number of queued releases while the kernel makes the thread wait. Those beyond are dropped, since
    /// inodes that the kernel still holds are released again later.
    static let releaseCountMax = 64

    private struct State {
        var commands: Deque<Command> = []
        /// The number of releases among the commands.
        var releaseCount = 0
        var thread: WorkerThread?
        /// `true` while a command is being performed.
        var isBusy = false
        var isEnding = false

        /// `true` if a command that is added now will be performed.
        var acceptsCommands: Bool { thread != nil && !isEnding }
    }

    private let state = Monitor(State())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func release(_ names: @escaping @Sendable () -> [KernelName]) {
        state.change { state in
            guard state.acceptsCommands, state.releaseCount < Self.releaseCountMax else { return }
            state.releaseCount += 1
            state.commands.append(.release(names: names))
        }
    }

    func invalidate(
        _ names: @escaping @Sendable () -> [KernelName], completion: @escaping @Sendable () -> Void
    ) {
        let isQueued = state.change { state in
            if state.acceptsCommands { state.commands.append(.invalidate(names: names, completion: completion)) }
            return state.acceptsCommands
        }
        if !isQueued { completion() }
    }

    /// Starts to send notifications to a kernel that speaks version 7 of the protocol with this minor version.
    ///
    /// - Parameter overlay: The overlay that holds names of the mount; `nil` for none.
    func begin(on device: any NotificationDevice, protocolMinor: Int, overlay: OverlayDentries? = nil) {
        let invalidator = KernelInvalidator(
            device: device, protocolMinor: protocolMinor, overlay: overlay, logger: logger)
        let thread = WorkerThread { self.work(invalidator) }
        state.change { $0.thread = thread }
    }

    /// Drops all commands, and accepts no more: the kernel is about to lose all of its names.
    func beginEnd() {
        let dropped = state.change { state in
            state.isEnding = true
            defer { state.commands = [] }
            return state.commands
        }
        for command in dropped { command.complete() }
    }

    /// `true` while a command is being performed.
    var isBusy: Bool {
        state.look { $0.isBusy }
    }

    /// Waits for the thread, which ends after the current command.
    func finishEnd() {
        state.change { state in
            defer { state.thread = nil }
            return state.thread
        }?.join()
    }

    private func work(_ invalidator: KernelInvalidator) {
        var invalidator = invalidator
        while let command = nextCommand() {
            switch command {
            case .release(let names): invalidator.release(names())
            case .invalidate(let names, _): invalidator.invalidate(names)
            }
            command.complete()
            state.change { $0.isBusy = false }
        }
    }

    /// Waits for the next command, and returns it; `nil` at the end.
    private func nextCommand() -> Command? {
        state.wait { state -> Command?? in
            if state.isEnding { return .some(nil) }
            guard let command = state.commands.popFirst() else { return nil }
            if case .release = command { state.releaseCount -= 1 }
            state.isBusy = true
            return command
        }
    }
}
