import BlockCache
public import ObjectStore

/// The one place where the bytes of objects are asked for, shared by all who read.
public final class Reader: Sendable {
    /// The reading state of this object version: the same instance for all who have it open, so that what one of them
    /// fetches serves the others.
    public func open(_ object: ObjectVersion) -> ObjectReader {
        fatalError()
    }
}

/// One object version that somebody has open.
public final class ObjectReader: Sendable {
    /// The bytes of `range`, if all of them are at hand; reading ahead is set going as for any read.
    ///
    /// - Parameter range: Offsets within the object; not empty, and within its size.
    public func readAvailable(_ range: Range<Int>) -> ReadBytes? {
        fatalError()
    }

    /// The bytes of `range`, as soon as they have come. `completion` is called exactly once, on the calling thread if
    /// the bytes are at hand and on a network thread otherwise, unless the read is cancelled first.
    ///
    /// - Parameter range: Offsets within the object; not empty, and within its size.
    public func read(
        _ range: Range<Int>, completion: @escaping @Sendable (Result<ReadBytes, StoreError>) -> Void
    ) -> ParkedRead {
        fatalError()
    }
}

/// A read that waits for its bytes.
public final class ParkedRead: Sendable {
    /// Nobody waits any more: `completion` will not be called, unless that is already happening.
    public func cancel() {
        fatalError()
    }
}

/// Bytes of an object, where they lie in memory: they stay there as long as this value does.
public struct ReadBytes: Sendable {
    /// How many bytes.
    public var byteCount: Int { fatalError() }

    /// Calls `body` with the pieces, in order. The spans are only valid during the call.
    public func withSegments<R>(_ body: ([UnsafeRawBufferPointer]) -> R) -> R {
        fatalError()
    }
}
