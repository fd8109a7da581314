import Reader
import Synchronization

extension FileSystem {
    /// A request about a file's copy in the disk cache.
    public struct FetchRequest: Codable, Hashable, Sendable {
        /// The actions besides a lookup in the cache.
        public struct Actions: OptionSet, Codable, Hashable, Sendable {
            /// The bits.
            public let rawValue: UInt32

            /// Creates a set of these bits.
            public init(rawValue: UInt32) {
                self.rawValue = rawValue
            }

            /// Counts the request as a use of the file, so that other objects are evicted first.
            public static let use = Actions(rawValue: 1)
            /// Fetches the first missing bytes of the range.
            public static let fetch = Actions(rawValue: 2)
            /// Checks the cached bytes of the range before, and removes damaged ones.
            public static let verify = Actions(rawValue: 4)
            /// Pins the file.
            public static let keep = Actions(rawValue: 8)
        }

        /// The name of the file in its folder.
        public var name: [UInt8]
        /// The actions.
        public var actions: Actions
        /// The number of the object version, from an earlier response; 0 for any version.
        public var version: UInt64
        /// The bytes to fetch and verify.
        public var range: Range<Int>

        /// Creates a request.
        public init(name: [UInt8], actions: Actions, version: UInt64 = 0, range: Range<Int> = 0..<0) {
            self.name = name
            self.actions = actions
            self.version = version
            self.range = range
        }
    }

    /// The response to a `FetchRequest`.
    public struct FetchResponse: Codable, Sendable {
        /// The number of the object version; never 0.
        public var version: UInt64 = 1
        /// The size of the file.
        public var byteCount = 0
        /// The disk usage of the complete file.
        public var allocatedByteCount = 0
        /// The number of cached bytes; 0 after a fetch.
        public var cachedByteCount = 0
        /// `true` if the file is pinned; `false` after a fetch.
        public var isKept = false
        /// The end of the cached bytes at the beginning of the range.
        public var end = 0
        /// The number of them that were fetched for this request.
        public var fetchedByteCount = 0
        /// The number of damaged blocks.
        public var damagedBlockCount = 0

        /// Creates a response for an empty file.
        public init() {}
    }
}

/// A fetch that has not ended. It can be cancelled from any thread at any time.
public final class PendingFetch: Sendable {
    private struct State {
        var isCancelled = false
        var read: ParkedRead?
    }

    private let state = Mutex(State())

    /// Cancels the fetch.
    public func cancel() {
        state.withLock { state in
            state.isCancelled = true
            return state.read.take()
        }?.cancel()
    }

    /// `true` after `cancel`.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Has `cancel` cancel `read` too.
    func wait(for read: ParkedRead?) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.read = read }
            return state.isCancelled
        }
        if isCancelled { read?.cancel() }
    }
}
