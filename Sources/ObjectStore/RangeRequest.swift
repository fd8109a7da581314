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
