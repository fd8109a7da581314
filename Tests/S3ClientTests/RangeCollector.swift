import ObjectStore
import Synchronization
import TestSupport
import Testing

/// A receiver that collects bytes, and checks their order.
final class RangeCollector: RangeReceiver {
    private struct Received {
        var bytes: [UInt8] = []
        var results: [Result<Void, StoreError>] = []
    }

    private let received = Mutex(Received())
    private let firstOffset: Int

    init(firstOffset: Int = 0) {
        self.firstOffset = firstOffset
    }

    /// The bytes received so far.
    var bytes: [UInt8] { received.withLock { $0.bytes } }
    /// The number of calls of `finish`.
    var endCount: Int { received.withLock { $0.results.count } }

    func receive(_ bytes: RawSpan, at offset: Int) {
        received.withLock { received in
            #expect(received.results.isEmpty)
            #expect(offset == firstOffset + received.bytes.count)
            bytes.withUnsafeBytes { received.bytes += $0 }
        }
    }

    func finish(_ result: Result<Void, StoreError>) {
        received.withLock { $0.results.append(result) }
    }

    /// Waits for the end.
    func outcome() throws -> Result<[UInt8], StoreError> {
        try eventually("the end of a request", within: .seconds(120)) { endCount > 0 }
        return received.withLock { received in received.results[0].map { received.bytes } }
    }
}
