import BlockCache

/// Bytes of an object, where they lie in memory: they stay there as long as this value does, and the memory can't be used
/// for anything else. So hold it for as long as it takes to send a reply, and let go of it under no lock.
public struct ReadBytes: Sendable {
    /// How many bytes.
    public let byteCount: Int

    private let lease: BlockLease
    private let offsetInFirstBlock: Int

    /// The bytes of `range` of an object.
    ///
    /// - Parameter lease: The blocks that `range` lies in, all of whose bytes within `range` have come.
    init(_ range: Range<Int>, in lease: BlockLease) {
        self.byteCount = range.count
        self.lease = lease
        self.offsetInFirstBlock = range.lowerBound % Block.byteCount
    }

    /// Calls `body` with the blocks that they lie in, all of which are complete where the bytes are a whole object.
    func withBlocks<R>(_ body: ([Block]) -> R) -> R {
        body(lease.blocks)
    }

    /// Calls `body` with the pieces, in order. The pointers are only valid during the call.
    public func withSegments<R>(_ body: ([UnsafeRawBufferPointer]) -> R) -> R {
        var segments: [UnsafeRawBufferPointer] = []
        var offset = offsetInFirstBlock
        var left = byteCount
        for block in lease.blocks {
            let count = min(left, Block.byteCount - offset)
            segments.append(block.bytes(offset..<offset + count))
            left -= count
            offset = 0
        }
        return withExtendedLifetime(lease) { body(segments) }
    }
}
