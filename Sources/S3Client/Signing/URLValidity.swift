import ObjectStore
import SystemSupport

/// How long a URL works that some credentials have signed ("Sharing objects with presigned URLs" in the Amazon S3 User Guide).
struct URLValidity: Equatable {
    /// The longest time that a signature may give, in seconds: seven days.
    static let lifetimeMax = 604_800
    /// How long temporary credentials of the Security Token Service's sign for at the most, in seconds.
    private static let sessionLifetimeMax = 36 * 3_600
    /// How long those of a machine do.
    private static let instanceLifetimeMax = 6 * 3_600

    /// When it ends, as far as is known.
    let expiry: Timestamp
    /// Why that may be earlier than was asked for.
    let constraint: ObjectURL.Constraint?

    /// - Parameters:
    ///   - time: When it is signed, by the store's clock.
    ///   - localTime: The same by this machine's clock, which credentials end by.
    ///   - lifetime: What is asked for, in seconds.
    init(signedAt time: Timestamp, localTime: Timestamp, lifetime: Int, with resolved: ResolvedCredentials) {
        var seconds = lifetime
        var constraint: ObjectURL.Constraint?
        func limit(to most: Int, _ reason: ObjectURL.Constraint) {
            if most < seconds { (seconds, constraint) = (most, reason) }
        }
        switch resolved.kind {
        case .user: break
        case .session: limit(to: Self.sessionLifetimeMax, .sessionMaximum)
        case .instance: limit(to: Self.instanceLifetimeMax, .instanceMaximum)
        }
        if let end = resolved.expiry {
            limit(to: end.seconds - localTime.seconds, .credentialsExpiry)
        } else if resolved.kind != .user {
            constraint = .unknownExpiry
        }
        expiry = Timestamp(seconds: time.seconds + seconds)
        self.constraint = constraint
    }
}
