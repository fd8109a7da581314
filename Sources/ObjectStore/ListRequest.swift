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
