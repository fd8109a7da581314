/// Limits the time of calls that may hang, such as those that wait for a file server or a program.
public enum TimeLimit {
    /// The result of a thread that may still be running.
    public final class Pending<Value: Sendable>: Sendable {
        fileprivate let result = Monitor<Value?>(nil)

        /// Returns the result; `nil` if there is none at `deadline`.
        public func wait(until deadline: ContinuousClock.Instant) -> Value? {
            result.wait(atMost: max(deadline - .now, .zero)) { $0 != nil }
            return result.look { $0 }
        }
    }

    /// Calls `body` on a thread of its own, which may run until the process ends.
    public static func begin<Value: Sendable>(_ body: @escaping @Sendable () -> Value) -> Pending<Value> {
        let pending = Pending<Value>()
        DetachedThread.start {
            let value = body()
            pending.result.change { $0 = value }
        }
        return pending
    }

    /// Calls `body` on a thread of its own, and waits at most `limit` for its result.
    ///
    /// - Returns: `nil` after the limit.
    public static func run<Value: Sendable>(_ limit: Duration, _ body: @escaping @Sendable () -> Value) -> Value? {
        begin(body).wait(until: .now + limit)
    }
}
