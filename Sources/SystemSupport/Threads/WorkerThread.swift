import Glibc

/// A thread for work that blocks. Signals are blocked on it: they are for the main thread.
public struct WorkerThread: Sendable {
    private let thread: pthread_t

    /// Starts a thread that runs `body`. The caller must `join` it.
    public init(_ body: @escaping @Sendable () -> Void) {
        thread = Self.start(body)
    }

    /// Waits for the end of the thread. On the thread itself, returns at once; the thread then cleans up after itself.
    public func join() {
        if pthread_equal(thread, pthread_self()) != 0 {
            pthread_detach(thread)
        } else {
            pthread_join(thread, nil)
        }
    }

    /// Starts a thread that runs `body` and cleans up after itself.
    static func detach(_ body: @escaping @Sendable () -> Void) {
        pthread_detach(start(body))
    }

    /// A closure in an object, which C can point to.
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t {
        var (all, previous) = (sigset_t(), sigset_t())
        sigfillset(&all)
        // The new thread inherits the mask, so that no signal reaches it before it has set its own.
        pthread_sigmask(SIG_SETMASK, &all, &previous)
        defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(Body(run: body)).toOpaque())
        precondition(code == 0, "cannot start a thread: \(String(cString: strerror(code)))")
        return thread
    }
}
