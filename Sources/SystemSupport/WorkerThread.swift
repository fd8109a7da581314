import Glibc

/// A thread of our own. The code that starts it must join it.
public struct WorkerThread: Sendable {
    private let thread: pthread_t

    /// Starts a thread that runs `body`.
    public init(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(Body(run: body)).toOpaque()
        let code = pthread_create(&thread, nil, { WorkerThread.main($0) }, argument)
        precondition(code == 0, "pthread_create: \(code)")
        self.thread = thread
    }

    /// Waits for the thread's end.
    public func join() {
        pthread_join(thread, nil)
    }

    /// A closure in an object that C can point to.
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument else { return nil }
        // Signals are for the main thread.
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
        Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
        return nil
    }
}
