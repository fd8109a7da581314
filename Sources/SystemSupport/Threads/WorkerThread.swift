import Glibc

/// A thread for work that blocks. Signals are blocked on it: they are for the main thread.
public struct WorkerThread: Sendable {
    private let thread: pthread_t

    /// Starts a thread that runs `body`. The caller must `join` it.
    public init(_ body: @escaping @Sendable () -> Void) {
        guard let thread = Self.start(body) else {
            preconditionFailure("cannot start a thread: \(String(cString: strerror(errno)))")
        }
        self.thread = thread
    }

    /// Waits for the end of the thread. On the thread itself, returns at once; the thread then cleans up after itself.
    public func join() {
        if pthread_equal(thread, pthread_self()) != 0 {
            pthread_detach(thread)
        } else {
            pthread_join(thread, nil)
        }
    }

    /// Starts a thread that runs `body` and cleans up after itself. Returns `false` if the system allows no more
    /// threads.
    static func detach(_ body: @escaping @Sendable () -> Void) -> Bool {
        guard let thread = start(body) else { return false }
        pthread_detach(thread)
        return true
    }

    /// A closure in an object, which C can point to.
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    /// Starts a thread. Returns `nil`, with the reason in errno, if the system allows no more threads.
    private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
        var (all, previous) = (sigset_t(), sigset_t())
        sigfillset(&all)
        // The new thread inherits the mask, so that no signal reaches it before it has set its own.
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
        let argument = Unmanaged.passRetained(Body(run: body))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, argument.toOpaque())
        if code == 0 { return thread }
        argument.release()
        errno = code
        return nil
    }
}
