public import ObjectStore
import Synchronization

/// The misbehavior of the test server with a request.
///
/// One group of misbehavior a case, each in its own file.
public enum S3Action: Sendable {
    /// It is slow, or never done.
    case linger(Lingering)
    /// It refuses, with a status and an error document.
    case refuse(Refusal)
    /// It answers with something that is not what S3 would say.
    case damage(Damage)
    /// It lists what isn't so.
    case misList(ListingFault)
    /// The objects change, or don't seem to.
    case mutate(Mutation)
    /// The server sends more than any client can take.
    case attack(Attack)
    /// It speaks as other stores than AWS do.
    case speak(StoreDialect)

    /// Spoils the true answer.
    func apply(to response: inout S3Response, request: S3Request, server: S3TestServer) {
        switch self {
        case .linger(let lingering): lingering.apply(to: &response)
        case .refuse(let refusal): refusal.apply(to: &response, request: request)
        case .damage(let damage): damage.apply(to: &response)
        case .misList(let fault): fault.apply(to: &response, request: request, server: server)
        case .mutate(let mutation): mutation.apply(to: &response, request: request, server: server)
        case .attack(let attack): attack.apply(to: &response)
        case .speak(let dialect): dialect.apply(to: &response, request: request, server: server)
        }
    }
}

/// The requests that an action is for.
public struct S3Matcher: Sendable {
    /// Returns `true` for such a request.
    let matches: @Sendable (S3Request) -> Bool

    /// The requests that `matches` says yes to.
    public init(_ matches: @escaping @Sendable (S3Request) -> Bool) {
        self.matches = matches
    }

    /// Every request.
    public static let any = S3Matcher { _ in true }
    /// Listings.
    public static let lists = S3Matcher { $0.kind == .list }
    /// Reads of objects.
    public static let gets = S3Matcher { $0.kind == .get }

    /// CreateSession.
    public static let sessions = S3Matcher { $0.kind == .session }

    /// About half of these, at random.
    public func half(seed: UInt64) -> S3Matcher { some(0.5, seed: seed) }

    /// Each of these with this probability.
    public func some(_ probability: Double, seed: UInt64) -> S3Matcher {
        let dice = Dice(seed: seed)
        return S3Matcher { matches($0) && dice.roll(probability) }
    }

    /// These, for so long from now on.
    public func lasting(_ duration: Duration) -> S3Matcher {
        let end = ContinuousClock.now + duration
        return S3Matcher { ContinuousClock.now < end && matches($0) }
    }

    /// Listings with exactly this prefix.
    public static func list(_ prefix: Key) -> S3Matcher {
        S3Matcher { $0.kind == .list && $0.key == prefix }
    }

    /// Reads of exactly this object.
    public static func get(_ key: Key) -> S3Matcher {
        S3Matcher { $0.kind == .get && $0.key == key }
    }

    /// Whatever names a key, or lists a prefix, that begins so.
    public static func below(_ prefix: Key) -> S3Matcher {
        S3Matcher { $0.key.hasPrefix(prefix) }
    }
}

/// Chances, for matchers that any thread asks.
private final class Dice: Sendable {
    private let random: Mutex<SeededGenerator>

    init(seed: UInt64) {
        random = Mutex(SeededGenerator(seed: seed))
    }

    func roll(_ probability: Double) -> Bool {
        random.withLock { .random(in: 0..<1, using: &$0) } < probability
    }
}

/// An action that the server takes a number of times.
struct S3Rule: Sendable {
    let matcher: S3Matcher
    let action: S3Action
    /// The number of matching requests that are answered normally first.
    var skipCount: Int
    /// The number of times that the action still applies.
    var remainingCount: Int

    /// Returns `true` if the action applies to this request, and counts it.
    mutating func takes(_ request: S3Request) -> Bool {
        guard remainingCount > 0, matcher.matches(request) else { return false }
        guard skipCount == 0 else {
            skipCount -= 1
            return false
        }
        remainingCount -= 1
        return true
    }
}
