/// The reason for which a command fails, in one line for the user.
public struct Failure: Error, CustomStringConvertible {
    /// The operation, its object, the reason, and advice.
    public let description: String
    /// `true` if the network caused the failure and may still come up.
    public let isTransient: Bool

    /// Joins the lines of `description`.
    public init(_ description: String, isTransient: Bool = false) {
        self.description = description.split(whereSeparator: \.isNewline).joined(separator: " ")
        self.isTransient = isTransient
    }
}
