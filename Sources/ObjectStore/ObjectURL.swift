public import SystemSupport

/// A URL that gives an object to whoever has it: a secret by itself, for as long as it works. Printed without its signature.
public struct ObjectURL: Hashable, Sendable {
    /// The URL.
    public let text: String
    /// When it stops working, as far as is known; `nil` where it is not signed, and works while the object is open to all.
    public let expiry: Timestamp?
    /// Why that may be earlier than was asked for.
    public let constraint: Constraint?

    /// What lets a URL end before its time.
    public enum Constraint: UInt32, Sendable {
        /// The credentials that signed it end before.
        case credentialsExpiry = 1
        /// Temporary credentials of the Security Token Service's sign for 36 hours at the most.
        case sessionMaximum
        /// Those of a machine, a container or a function do for 6 hours.
        case instanceMaximum
        /// The credentials are temporary ones, and nothing says when they end.
        case unknownExpiry
    }

    /// A URL that works until `expiry`.
    public init(text: String, expiry: Timestamp?, constraint: Constraint?) {
        self.text = text
        self.expiry = expiry
        self.constraint = constraint
    }
}

extension ObjectURL: CustomStringConvertible, CustomReflectable {
    /// What stands in front of the query.
    public var description: String { String(text.prefix { $0 != "?" }) }

    /// Nothing to see, so that `dump` shows no secret.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// What makes URLs of objects. See `ObjectStore`, whose ways it has.
public protocol ObjectURLSource: Sendable {
    /// Makes a URL. Whether there is such an object isn't asked.
    ///
    /// - Parameters:
    ///   - key: Which object.
    ///   - lifetime: For how many seconds, at most 604,800 (seven days).
    ///   - deadline: When to give up, where something must be asked for before: which region the bucket is in, or
    ///     credentials that are valid.
    ///   - completion: Called once: at once where nothing must be asked for, else on a thread of the store's.
    func makeURL(
        of key: Key, lifetime: Int, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ObjectURL, StoreError>) -> Void)
}
