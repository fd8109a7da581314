import Glibc

/// The test waited for something that did not happen.
public struct NeverHappened: Error, CustomStringConvertible {
    /// What was waited for, and how long.
    public let description: String

    /// It did not happen as this says.
    public init(description: String) {
        self.description = description
    }
}

/// Waits until `condition` holds, for what happens on other threads or in other processes.
///
/// - Parameters:
///   - what: What is waited for, for the error.
///   - limit: Gives up then; generous, since a busy machine is no failure.
public func eventually(
    _ what: String, within limit: Duration = .seconds(30), _ condition: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < deadline else {
            throw NeverHappened(description: "\(what): did not happen within \(limit)")
        }
        sleepBriefly()
    }
}

/// Gives way to other threads for a few milliseconds.
private func sleepBriefly() {
    usleep(5_000)
}
