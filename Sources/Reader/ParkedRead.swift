public import ObjectStore

/// What a read ends with: its bytes, or why there are none.
public typealias ReadCompletion = @Sendable (Result<ReadBytes, StoreError>) -> Void

/// A read that waits for its bytes, or did.
public final class ParkedRead: Sendable {
    private let reads: ObjectReads
    private let number: UInt64

    /// The read `number` of the object.
    init(_ reads: ObjectReads, read number: UInt64) {
        self.reads = reads
        self.number = number
    }

    /// Nobody waits any more: `completion` will not be called, unless that is already happening.
    public func cancel() {
        reads.cancel(read: number)
    }
}
