import Reader
import Synchronization

extension FileSystem {
    /// What is asked about a file's copy in the disk cache, or of it.
    public struct FetchQuestion: Sendable {
        /// What to do with it, beside telling what is there.
        public struct Actions: OptionSet, Sendable {
            /// The bits.
            public let rawValue: UInt32

            /// Those of the bits that mean something.
            public init(rawValue: UInt32) {
                self.rawValue = rawValue
            }

            /// Count that as a use of it, so that other objects are evicted first.
            public static let use = Actions(rawValue: 1)
            /// Bring the first bytes of a range there that are missing.
            public static let fetch = Actions(rawValue: 2)
            /// Check what of the range is there before, and drop what is damaged.
            public static let verify = Actions(rawValue: 4)
            /// Have evictions leave it.
            public static let keep = Actions(rawValue: 8)
        }

        /// The file's name in its directory.
        public var name: [UInt8]
        /// What to do.
        public var actions: Actions
        /// Which version of the object it must be, as an answer has told before; 0 for any.
        public var version: UInt64
        /// The bytes that `fetch` and `verify` are about.
        public var range: Range<Int>

        /// All of it.
        public init(name: [UInt8], actions: Actions, version: UInt64 = 0, range: Range<Int> = 0..<0) {
            self.name = name
            self.actions = actions
            self.version = version
            self.range = range
        }
    }

    /// The answer.
    public struct FetchAnswer: Sendable {
        /// Which version of the object it is; never 0.
        public var version: UInt64 = 1
        /// The file's size.
        public var byteCount = 0
        /// What it takes on the disk when all of it is there.
        public var allocatedByteCount = 0
        /// How many bytes of it are there. Not told where something is fetched.
        public var cachedByteCount = 0
        /// Whether evictions leave it. Not told where something is fetched.
        public var isKept = false
        /// The bytes of the range before this offset are there.
        public var end = 0
        /// How many of them came now.
        public var fetchedByteCount = 0
        /// How many blocks were damaged.
        public var damagedBlockCount = 0

        /// About an empty file.
        public init() {}
    }
}

/// What a fetch waits for, to be cancelled from any thread and at any time.
public final class FetchWait: Sendable {
    private struct State {
        var isCancelled = false
        var read: ParkedRead?
    }

    private let state = Mutex(State())

    /// Nobody waits any more.
    public func cancel() {
        state.withLock { state in
            state.isCancelled = true
            return state.read.take()
        }?.cancel()
    }

    /// Whether nobody waits any more.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// It waits for `read` now.
    func wait(for read: ParkedRead?) {
        let isCancelled = state.withLock { state in
            if !state.isCancelled { state.read = read }
            return state.isCancelled
        }
        if isCancelled { read?.cancel() }
    }
}
