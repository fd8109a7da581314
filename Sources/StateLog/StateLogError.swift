/// Why there is no log, or none that a mount can be taken over with.
public struct StateLogError: Error, Equatable, CustomStringConvertible {
    /// One sentence for a log.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
