public import Dispatch
import Synchronization

/// Limits the time of calls that may hang, such as those that wait for a file server or a program.
public enum TimeLimit {
    /// The result of a thread that may still be running.
    public final class Pending<Product: Sendable>: Sendable {
        fileprivate let product = Mutex<Product?>(nil)
        fileprivate let arrival = DispatchSemaphore(value: 0)

        /// Waits for the result until `deadline`; returns `nil` if it isn't there by then. Must be called at most once.
        public func wait(until deadline: DispatchTime) -> Product? {
            _ = arrival.wait(timeout: deadline)
            return product.withLock { $0 }
        }
    }

    /// Calls `body` on a thread of its own, which may run until the process ends.
    public static func begin<Product: Sendable>(_ body: @escaping @Sendable () -> Product) -> Pending<Product> {
        let pending = Pending<Product>()
        DetachedThread.start {
            let product = body()
            pending.product.withLock { $0 = product }
            pending.arrival.signal()
        }
        return pending
    }

    /// Calls `body` on a thread of its own, and waits at most `limit` for its result.
    ///
    /// - Returns: `nil` after the limit.
    public static func run<Product: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () -> Product
    ) -> Product? {
        begin(body).wait(until: .now() + .milliseconds(Int(limit / .milliseconds(1))))
    }
}
