import ObjectStore
import SystemSupport

/// The validity of a presigned URL ("Sharing objects with presigned URLs" in the Amazon S3 User Guide).
struct URLValidity: Equatable {
    /// The maximum lifetime of a signature in seconds: seven days.
    static let lifetimeMax = 604_800
    /// The maximum for temporary credentials of the Security Token Service, in seconds.
    private static let sessionLifetimeMax = 36 * 3_600
    /// The maximum for the credentials of an instance, in seconds.
    private static let instanceLifetimeMax = 6 * 3_600

    /// The expiry, as far as it is known.
    let expiry: Timestamp
    /// The reason why the expiry may be earlier than requested.
    let constraint: ObjectURL.Constraint?

    /// Creates the validity of a URL that is signed with these credentials.
    ///
    /// - Parameters:
    ///   - time: The time of the signature, by the store's clock.
    ///   - localTime: The same time by this machine's clock, to which the expiry of credentials refers.
    ///   - lifetime: The requested lifetime, in seconds.
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
