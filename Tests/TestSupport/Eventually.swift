import Glibc

/// The error of a test whose condition did not become true in time.
public struct NeverHappened: Error, CustomStringConvertible {
    /// The condition, and the time that the test waited for it.
    public let description: String

    /// Creates an error with this description.
    public init(description: String) {
        self.description = description
    }
}

/// Waits until `condition` holds, for events on other threads or in other processes.
///
/// - Parameters:
///   - what: The name of the condition, for the error.
///   - limit: The longest wait, generous because a busy machine is not a failure.
public func eventually(
    _ what: String, within limit: Duration = .seconds(30), _ condition: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now + limit
    // Longer and longer pauses: many conditions look at all processes of the machine.
    var pause: UInt32 = 2_000
    while try !condition() {
        guard ContinuousClock.now < deadline else {
            throw NeverHappened(description: "\(what): did not happen within \(limit)")
        }
        usleep(pause)
        pause = min(pause + 1_000, 20_000)
    }
}

/// Waits until `duration` is over, where the time itself is the subject of the test and no condition shows that it is
/// over.
///
/// - Parameter name: The product's constant, or the option of the test, that the duration is taken from.
public func letPass(_ duration: Duration, of name: String) {
    let end = ContinuousClock.now + duration
    while ContinuousClock.now < end { usleep(5_000) }
}
