/// How often something was opened and read.
public struct AccessCounts: Hashable, Sendable {
    /// How often it was opened.
    public internal(set) var openCount = 0
    /// How many of these opens were answered with a file of the local disk, which the kernel then reads by itself.
    public internal(set) var localOpenCount = 0
    /// How many reads have ended.
    public internal(set) var readCount = 0
    /// How many of them with an error.
    public internal(set) var failureCount = 0
    /// How many bytes the others gave.
    public internal(set) var byteCount = 0

    /// None of it.
    public init() {}

    /// Adds what was counted elsewhere.
    public mutating func add(_ other: AccessCounts) {
        openCount += other.openCount
        localOpenCount += other.localOpenCount
        readCount += other.readCount
        failureCount += other.failureCount
        byteCount += other.byteCount
    }

    /// Whether there is anything.
    public var isNone: Bool { openCount == 0 && readCount == 0 }

    /// Whether less was read than of the other one, or, where reads aren't known, less often opened.
    static func isLess(_ left: AccessCounts, than right: AccessCounts) -> Bool {
        (left.byteCount, left.openCount) < (right.byteCount, right.openCount)
    }
}
