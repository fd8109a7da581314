public import ObjectStore

/// Receives the result of a read: its bytes, or its error.
public typealias ReadCompletion = @Sendable (Result<ReadBytes, StoreError>) -> Void

/// A read that waits for its bytes, or did.
public final class ParkedRead: Sendable {
    private let reads: ObjectReads
    private let number: UInt64

    /// Creates the handle for the read `number` of the object.
    init(_ reads: ObjectReads, read number: UInt64) {
        self.reads = reads
        self.number = number
    }

    /// Cancels the read: `completion` will not be called, unless that call is already running.
    public func cancel() {
        reads.cancel(read: number)
    }
}
