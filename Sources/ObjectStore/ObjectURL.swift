public import SystemSupport

/// A URL that grants access to an object, and is therefore a secret while it is valid. Its description has no
/// signature.
public struct ObjectURL: Hashable, Sendable {
    /// The URL.
    public let text: String
    /// The time at which the URL expires, as far as known; `nil` if it is unsigned, and works while the object is
    /// public.
    public let expiry: Timestamp?
    /// The reason that the URL may expire earlier than requested; `nil` if it won't.
    public let constraint: Constraint?

    /// A reason that a URL expires early.
    public enum Constraint: UInt32, Sendable {
        /// The credentials that signed it expire earlier.
        case credentialsExpiry = 1
        /// Temporary credentials of the Security Token Service sign for at most 36 hours.
        case sessionMaximum
        /// Temporary credentials of a machine, a container or a function sign for at most 6 hours.
        case instanceMaximum
        /// The credentials are temporary, and their expiry is unknown.
        case unknownExpiry
    }

    /// Creates a URL that is valid until `expiry`.
    public init(text: String, expiry: Timestamp?, constraint: Constraint?) {
        self.text = text
        self.expiry = expiry
        self.constraint = constraint
    }
}

extension ObjectURL: CustomStringConvertible, CustomReflectable {
    /// The URL without its query.
    public var description: String { String(text.prefix { $0 != "?" }) }

    /// Empty, so that `dump` shows no secret.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// A source of URLs of objects. Completions are called as by `ObjectStore`.
public protocol ObjectURLSource: Sendable {
    /// Makes a URL, without a check that the object exists.
    ///
    /// - Parameters:
    ///   - key: The key of the object.
    ///   - lifetime: The lifetime of the URL in seconds, at most 604,800 (seven days).
    ///   - deadline: The deadline, if a request is needed first: for the region of the bucket, or for valid
    ///     credentials.
    ///   - completion: Called once: on the calling thread if no request is needed, otherwise on a thread of the store.
    func makeURL(
        of key: Key, lifetime: Int, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ObjectURL, StoreError>) -> Void)
}
