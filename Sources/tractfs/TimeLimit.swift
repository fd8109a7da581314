import Dispatch
import Synchronization
import SystemSupport

/// For what may hang: a file server that is gone, a program that waits for a password.
enum TimeLimit {
    /// What a thread of its own is at.
    final class Pending<Product: Sendable>: Sendable {
        fileprivate let product = Mutex<Product?>(nil)
        fileprivate let arrival = DispatchSemaphore(value: 0)

        /// Waits until it is done, or `deadline`; `nil` where it isn't. To be called once.
        func wait(until deadline: DispatchTime) -> Product? {
            _ = arrival.wait(timeout: deadline)
            return product.withLock { $0 }
        }
    }

    /// Runs `body` on a thread of its own, which goes on until the process ends if need be.
    static func begin<Product: Sendable>(_ body: @escaping @Sendable () -> Product) -> Pending<Product> {
        let pending = Pending<Product>()
        DetachedThread.start {
            let product = body()
            pending.product.withLock { $0 = product }
            pending.arrival.signal()
        }
        return pending
    }

    /// Runs `body` on a thread of its own, and waits for it as long as `limit`.
    ///
    /// - Returns: `nil` where it wasn't done by then.
    static func run<Product: Sendable>(
        _ limit: Duration, _ body: @escaping @Sendable () -> Product
    ) -> Product? {
        begin(body).wait(until: .now() + .milliseconds(Int(limit / .milliseconds(1))))
    }
}
