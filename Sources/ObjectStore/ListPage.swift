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
