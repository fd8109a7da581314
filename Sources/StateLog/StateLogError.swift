/// A reason that there is no log, or none that allows a takeover.
public struct StateLogError: Error, Equatable, CustomStringConvertible {
    /// One sentence for a log.
    public let description: String

    /// Creates an error with this description.
    public init(_ description: String) {
        self.description = description
    }
}
