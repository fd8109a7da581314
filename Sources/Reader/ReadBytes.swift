import BlockCache

/// Bytes of an object in place. They stay in memory as long as this value exists, and occupy that memory. So hold it
/// only as long as it takes to send a reply, and release it under no lock.
public struct ReadBytes: Sendable {
    /// The number of bytes.
    public let byteCount: Int

    private let lease: BlockLease
    private let offsetInFirstBlock: Int

    /// Creates the bytes of `range` of an object.
    ///
    /// - Parameter lease: The blocks that contain `range`; all bytes within `range` have arrived.
    init(_ range: Range<Int>, in lease: BlockLease) {
        self.byteCount = range.count
        self.lease = lease
        self.offsetInFirstBlock = range.lowerBound % Block.byteCount
    }

    /// Calls `body` with the blocks that contain the bytes. All of them are complete if the bytes are a whole object.
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
