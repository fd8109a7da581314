import Dispatch
import Synchronization
import SystemSupport

/// For what may hang: a file server that is gone, a program that waits for a password.
enum TimeLimit {
    private final class Result<Product: Sendable>: Sendable {
        let product = Mutex<Product?>(nil)
        let arrival = DispatchSemaphore(value: 0)
    }

    /// Runs `body` on a thread of its own, and waits for it as long as `limit`.
    ///
    /// - Returns: `nil` where it wasn't done by then. The thread then goes on, until the process ends.
    static func run<Product: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () -> Product
    ) -> Product? {
        let result = Result<Product>()
        DetachedThread.start {
            let product = body()
            result.product.withLock { $0 = product }
            result.arrival.signal()
        }
        _ = result.arrival.wait(timeout: .now() + .milliseconds(Int(limit / .milliseconds(1))))
        return result.product.withLock { $0 }
    }
}
