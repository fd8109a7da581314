import BlockCache
import Dispatch
import ObjectStore
import Reader
import Synchronization
import Testing

/// Creates a reader on `store` with `mebibytes` of memory.
func makeReader(_ store: any ObjectStore, mebibytes: Int = 64) throws -> (Reader, BlockCache) {
    let cache = try BlockCache(byteLimit: mebibytes << 20)
    return (Reader(store: store, cache: cache, limits: ReaderLimits(readTimeout: .seconds(30))), cache)
}

extension ReadBytes {
    /// A copy of the bytes.
    var array: [UInt8] { withSegments { segments in segments.flatMap { Array($0) } } }
}

/// The result of a read, for a test that waits for it. A second result is an error.
final class ReadResult: Sendable {
    private let result = Mutex<Result<[UInt8], StoreError>?>(nil)
    private let ended = DispatchSemaphore(value: 0)

    /// The result so far.
    var now: Result<[UInt8], StoreError>? { result.withLock { $0 } }

    /// Ends the read.
    func end(_ outcome: Result<ReadBytes, StoreError>) {
        let bytes = outcome.map(\.array)
        result.withLock { result in
            #expect(result == nil, "a completion was called twice")
            result = bytes
        }
        ended.signal()
    }

    /// Waits for the result.
    func wait() throws -> [UInt8] {
        try #require(ended.wait(timeout: .now() + 30) == .success, "the read did not end")
        return try #require(now).get()
    }
}

extension ObjectReader {
    /// Reads and waits.
    func bytes(_ range: Range<Int>) throws -> [UInt8] {
        let result = ReadResult()
        _ = read(range, completion: result.end)
        return try result.wait()
    }
}
