public import SystemSupport

/// A source of objects: it lists keys and returns ranges of objects.
///
/// No call blocks, and none is `async`: a call returns at once, and the store delivers the result on a thread of its
/// own. A request ends exactly once, with a result or an error, even if it is cancelled, and at the latest a little
/// after its deadline. The store retries by itself; an error is final.
public protocol ObjectStore: Sendable {
    /// `true` if listings are in the order of their keys, and can start after any key.
    var listsInOrder: Bool { get }

    /// Requests one page of a listing (S3's ListObjectsV2).
    ///
    /// - Parameters:
    ///   - request: The keys to list.
    ///   - deadline: The deadline, retries included.
    ///   - completion: Called once, on a thread of the store; it must not block.
    /// - Returns: A handle to cancel the request; it need not be retained.
    @discardableResult
    func list(
        _ request: ListRequest, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) -> any StoreRequest

    /// Requests the description of an object (S3's HeadObject).
    ///
    /// - Parameters:
    ///   - key: The object's key.
    ///   - deadline: The deadline, retries included.
    ///   - completion: Called once, on a thread of the store, with `nil` if there is no such object; it must not block.
    /// - Returns: A handle to cancel the request; it need not be retained.
    @discardableResult
    func head(
        _ key: Key, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void
    ) -> any StoreRequest

    /// Requests a range of one object version (S3's GetObject with `Range` and `If-Match`, or `If-Unmodified-Since` if
    /// the version has a stand-in for its ETag).
    ///
    /// - Parameters:
    ///   - request: The version and the range.
    ///   - deadline: The deadline, retries included. The store may extend it by as much time again while bytes arrive.
    ///   - receiver: Receives the bytes as they arrive, and the end. The store retains it until then.
    /// - Returns: A handle to cancel the request; it need not be retained.
    @discardableResult
    func get(
        _ request: RangeRequest, deadline: RunningClock.Instant, receiver: any RangeReceiver
    ) -> any StoreRequest
}

extension ObjectStore {
    /// `true`, which S3 guarantees for general purpose buckets.
    public var listsInOrder: Bool { true }
}

/// A request in flight.
public protocol StoreRequest: AnyObject, Sendable {
    /// Cancels the request. It still ends once, with `StoreError.Code.cancelled` unless it had already ended.
    func cancel()
}

/// A request for one page of a listing.
public struct ListRequest: Hashable, Sendable {
    /// The prefix of the keys to list.
    public var prefix: Key
    /// `true` if keys with another "/" after the prefix are rolled up into common prefixes.
    public var isDelimited: Bool
    /// The listing contains only keys and common prefixes after this key.
    public var startAfter: Key?
    /// The token of an earlier page of the same listing, at whose end this page continues.
    public var continuation: ContinuationToken?
    /// The most keys and common prefixes of the page, 1 to 1,000 (S3's limit).
    public var limit: Int

    /// Creates a request for keys that begin with `prefix`.
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

/// The token with which a listing continues; opaque.
public struct ContinuationToken: Hashable, Sendable {
    /// The token as the store wrote it; empty for a marker.
    public let text: String
    /// The key after which the listing continues, for a store without tokens (S3's ListObjects, version 1).
    public let marker: Key?

    /// Creates the token that the store wrote as `text`.
    public init(_ text: String) {
        self.text = text
        marker = nil
    }

    /// Creates a token for the keys after `marker`.
    public init(marker: Key) {
        text = ""
        self.marker = marker
    }
}

/// One page of a listing.
public struct ListPage: Hashable, Sendable {
    /// An object, or a common prefix, which stands for all keys that begin with it.
    public enum Item: Hashable, Sendable {
        case object(ListedObject)
        /// Ends in "/".
        case commonPrefix(Key)

        /// The key by which the page is sorted.
        public var key: Key {
            switch self {
            case .object(let object): object.version.key
            case .commonPrefix(let prefix): prefix
            }
        }
    }

    /// The objects and common prefixes, each key once. If `isOrdered`, the keys ascend strictly, and there is no other
    /// key between two neighbors.
    public var items: [Item]
    /// The token of the next page; `nil` for the last page.
    public var next: ContinuationToken?
    /// `true` if the store sent both the objects and the common prefixes in the order of their bytes, and began after
    /// the requested key. Otherwise the items are in the order of their arrival, objects before common prefixes, and
    /// complete.
    public var isOrdered: Bool

    /// Creates a page of these items; more follow unless `next` is `nil`.
    public init(items: [Item], next: ContinuationToken? = nil, isOrdered: Bool = true) {
        self.items = items
        self.next = next
        self.isOrdered = isOrdered
    }
}

/// A request for a range of an object version.
public struct RangeRequest: Hashable, Sendable {
    /// The version to which all bytes must belong.
    public var object: ObjectVersion
    /// The offsets within the object; not empty, and within its size.
    public var range: Range<Int>
    /// `true` if no read waits for the bytes yet; the store may send other requests first.
    public var isPrefetch: Bool

    /// Creates a request for the bytes `range` of `object`.
    public init(object: ObjectVersion, range: Range<Int>, isPrefetch: Bool = false) {
        self.object = object
        self.range = range
        self.isPrefetch = isPrefetch
    }
}

/// The receiver of the bytes of a range. It is called by one thread at a time.
public protocol RangeReceiver: AnyObject, Sendable {
    /// Receives the next bytes of the range; the first one is at `offset` in the object. The bytes arrive in order,
    /// each once, even if the store had to retry in the middle. The span is valid only during the call.
    func receive(_ bytes: RawSpan, at offset: Int)

    /// Receives the end: success after all bytes of the range, or an error. The bytes received before an error are
    /// correct and may be used.
    func finish(_ result: Result<Void, StoreError>)
}
