/// A thread for work that blocks, which no code waits for. Signals are blocked on it: they are for the main thread.
public enum DetachedThread {
    /// Starts a thread that runs `body`.
    ///
    /// - Returns: `false` if the system allows no more threads; `body` does not run then.
    @discardableResult
    public static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        WorkerThread.detach(body)
    }
}
