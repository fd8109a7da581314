/// The counts of opens and reads of a file or folder.
public struct AccessCounts: Hashable, Sendable {
    /// The number of opens.
    public internal(set) var openCount = 0
    /// The number of opens answered with a local file, which the kernel then reads directly.
    public internal(set) var localOpenCount = 0
    /// The number of finished reads.
    public internal(set) var readCount = 0
    /// The number of finished reads that failed.
    public internal(set) var failureCount = 0
    /// The number of bytes returned by the other reads.
    public internal(set) var byteCount = 0

    /// Creates counts of zero.
    public init() {}

    /// Adds other counts to these.
    public mutating func add(_ other: AccessCounts) {
        openCount += other.openCount
        localOpenCount += other.localOpenCount
        readCount += other.readCount
        failureCount += other.failureCount
        byteCount += other.byteCount
    }

    /// `true` if there were no opens and no reads.
    public var isNone: Bool { openCount == 0 && readCount == 0 }

    /// Returns `true` if `left` has fewer bytes read than `right` or, if reads are unknown, fewer opens.
    static func isLess(_ left: AccessCounts, than right: AccessCounts) -> Bool {
        (left.byteCount, left.openCount) < (right.byteCount, right.openCount)
    }
}
