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
