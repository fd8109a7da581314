/// Calls that may hang, with a time limit: a file server that doesn't answer, a program that waits for a password.
public enum TimeLimit {
    /// A call on a thread of its own.
    public final class Pending<Value: Sendable>: Sendable {
        fileprivate let result = Monitor<Value?>(nil)

        /// Returns the result; `nil` if there is none at `deadline`.
        public func wait(until deadline: ContinuousClock.Instant) -> Value? {
            let limit = max(deadline - .now, .zero)
            result.wait(atMost: limit) { $0 != nil }
            return result.look { $0 }
        }
    }

    /// Calls `body` on a thread of its own, which may last until the process ends.
    public static func begin<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Pending<Value> {
        let pending = Pending<Value>()
        DetachedThread.start {
            let value = body()
            pending.result.change { $0 = value }
        }
        return pending
    }

    /// Calls `body` on a thread of its own, and waits for at most `limit`. Returns `nil` after that.
    public static func run<Value: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () -> Value) -> Value? {
        begin(body).wait(until: .now + limit)
    }
}
