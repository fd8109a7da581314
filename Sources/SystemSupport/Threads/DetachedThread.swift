/// A thread for work that blocks, which no code waits for. Signals are blocked on it: they are for the main thread.
public enum DetachedThread {
    /// Starts a thread that runs `body`.
    public static func start(_ body: @escaping @Sendable () -> Void) {
        WorkerThread.detach(body)
    }
}
