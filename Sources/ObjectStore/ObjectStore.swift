public import SystemSupport

/// Where objects come from: something that lists keys and hands out ranges of objects.
///
/// Nothing here blocks, and nothing here is `async`: a call returns at once, and what it asked for is delivered on a
/// thread of the store's. A request ends exactly once, with a result or an error, also when it is cancelled and at the
/// latest a little after its deadline. Retrying is the store's own business: an error that arrives here is final.
public protocol ObjectStore: Sendable {
    /// True for a store whose listings come in the order of their keys, and can begin behind any key.
    var listsInOrder: Bool { get }

    /// Asks for one page of a listing (S3's ListObjectsV2).
    ///
    /// - Parameters:
    ///   - request: Which keys.
    ///   - deadline: When to give up, retries included.
    ///   - completion: Called once, on a thread of the store's; it must not block.
    /// - Returns: A handle to cancel the request with; it need not be kept.
    @discardableResult
    func list(
        _ request: ListRequest, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) -> any StoreRequest

    /// Asks for one object's description (S3's HeadObject).
    ///
    /// - Parameters:
    ///   - key: The object's key.
    ///   - deadline: When to give up, retries included.
    ///   - completion: Called once, on a thread of the store's, with `nil` where there is no such object; it must not block.
    /// - Returns: A handle to cancel the request with; it need not be kept.
    @discardableResult
    func head(
        _ key: Key, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void
    ) -> any StoreRequest

    /// Asks for a range of one object version (S3's GetObject with `Range` and `If-Match`, or `If-Unmodified-Since` where the
    /// version has a stand-in for its ETag).
    ///
    /// - Parameters:
    ///   - request: Which bytes of which version.
    ///   - deadline: When to give up, retries included, unless bytes keep coming: a store may give a request as much time
    ///     again for what it has received meanwhile.
    ///   - receiver: Gets the bytes as they come, and the end. The store holds it until then.
    /// - Returns: A handle to cancel the request with; it need not be kept.
    @discardableResult
    func get(
        _ request: RangeRequest, deadline: RunningClock.Instant, receiver: any RangeReceiver
    ) -> any StoreRequest
}

extension ObjectStore {
    /// True, as S3 promises for general purpose buckets.
    public var listsInOrder: Bool { true }
}

/// A request under way.
public protocol StoreRequest: AnyObject, Sendable {
    /// Says that nobody wants the result any more. The request still ends once, with `StoreError.Code.cancelled` unless
    /// it had already ended.
    func cancel()
}

/// Which keys to list.
public struct ListRequest: Hashable, Sendable {
    /// Only keys that begin so.
    public var prefix: Key
    /// Whether keys that have another "/" behind the prefix are rolled up into common prefixes.
    public var isDelimited: Bool
    /// Only keys (and common prefixes) behind this one; the key itself is left out.
    public var startAfter: Key?
    /// Go on where an earlier page of the same listing ended.
    public var continuation: ContinuationToken?
    /// How many keys and common prefixes at the most, 1 to 1,000 (S3's limit).
    public var limit: Int

    /// A request for the page of keys that begin with `prefix`.
    public init(
        prefix: Key, isDelimited: Bool, startAfter: Key? = nil, continuation: ContinuationToken? = nil,
        limit: Int = 1_000
    ) {
        self.prefix = prefix
        self.isDelimited = isDelimited
        self.startAfter = startAfter
        self.continuation = continuation
        self.limit = limit
    }
}

/// What a store wants to be given to continue a listing; opaque.
public struct ContinuationToken: Hashable, Sendable {
    /// The token, as the store wrote it; empty for a marker.
    public let text: String
    /// The key behind which the listing goes on, of a store that has no tokens (S3's ListObjects, version 1).
    public let marker: Key?

    /// The token that the store wrote as `text`.
    public init(_ text: String) {
        self.text = text
        marker = nil
    }

    /// The position behind `marker`, in place of a token.
    public init(marker: Key) {
        text = ""
        self.marker = marker
    }
}

/// One page of a listing.
public struct ListPage: Hashable, Sendable {
    /// A key of the page, or a prefix that stands for all the keys below it.
    public enum Item: Hashable, Sendable {
        case object(ListedObject)
        /// Ends in "/".
        case commonPrefix(Key)

        /// What the page is sorted by.
        public var key: Key {
            switch self {
            case .object(let object): object.version.key
            case .commonPrefix(let prefix): prefix
            }
        }
    }

    /// Objects and common prefixes together, each key once. Where `isOrdered`, they are in strictly ascending order of their
    /// keys, and the page proves that between two neighbors there is nothing.
    public var items: [Item]
    /// The token of the next page; `nil` where this page is the last.
    public var next: ContinuationToken?
    /// `true` if the store sent objects and common prefixes each in the order of their bytes, and began behind the key that was
    /// asked for. Otherwise the items stand as they came, objects before common prefixes, and none is left out.
    public var isOrdered: Bool

    /// A page of these items; there are more where `next` is not `nil`.
    public init(items: [Item], next: ContinuationToken? = nil, isOrdered: Bool = true) {
        self.items = items
        self.next = next
        self.isOrdered = isOrdered
    }
}

/// Which bytes of which object version.
public struct RangeRequest: Hashable, Sendable {
    /// The version that every byte must be of.
    public var object: ObjectVersion
    /// Offsets within the object; not empty, and within its size.
    public var range: Range<Int>
    /// Whether nobody waits for the bytes yet: such a request may be kept waiting while others are not.
    public var isAhead: Bool

    /// A request for the bytes of `range` of `object`.
    public init(object: ObjectVersion, range: Range<Int>, isAhead: Bool = false) {
        self.object = object
        self.range = range
        self.isAhead = isAhead
    }
}

/// Who gets the bytes of a range. All calls come from one thread at a time.
public protocol RangeReceiver: AnyObject, Sendable {
    /// The next bytes of the range, the first of which has `offset` within the object. Bytes come in order and each
    /// comes once, also where the store had to ask again in the middle. The span is only valid during the call.
    func receive(_ bytes: RawSpan, at offset: Int)

    /// The end: all bytes of the range have come, or an error says why they didn't. What was received before an error
    /// is right and may be used.
    func finish(_ result: Result<Void, StoreError>)
}
