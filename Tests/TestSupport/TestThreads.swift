import Foundation
import Synchronization

/// Runs `body` on `count` threads at once, waits for all of them, and throws what the first of them threw.
public func inParallel(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    try TestThreads(count, body).wait()
}

/// Threads that a test has started and waits for.
public final class TestThreads: Sendable {
    private let group = DispatchGroup()
    private let failure = Mutex<(any Error)?>(nil)

    /// Starts `count` threads that run `body`.
    public init(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) {
        for index in 0..<count {
            group.enter()
            Thread.detachNewThread { [self] in
                do { try body(index) } catch { failure.withLock { $0 = $0 ?? error } }
                group.leave()
            }
        }
    }

    /// Waits for all of them, and throws what the first of them threw.
    public func wait() throws {
        group.wait()
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
