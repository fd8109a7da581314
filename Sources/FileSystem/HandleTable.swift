import StateLog
import Synchronization

/// What an open file or directory is called between the kernel and us (FUSE's `fh`).
public struct Handle: RawRepresentable, Hashable, Sendable {
    /// The number in the protocol.
    public let rawValue: UInt64

    /// The handle of this number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// What a handle stands for.
protocol OpenedByHandle: Sendable {
    /// What a process that takes over must know of it.
    var words: InlineArray<3, UInt64> { get }
}

/// What handles stand for. A number is never used twice, so that a late request can't meet somebody else's file; nor is it by
/// the process that takes over from this one.
final class HandleTable<Value: OpenedByHandle>: Sendable {
    private struct State {
        var values: [Handle: Value] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())
    private let kind: RecordKind
    private let log: StateLog?

    /// - Parameter log: Where handles are written as records of `kind`.
    init(_ kind: RecordKind, log: StateLog?) {
        self.kind = kind
        self.log = log
    }

    /// A new handle for `value`.
    func insert(_ value: Value) -> Handle {
        state.withLock { state in
            state.lastNumber = log?.makeID() ?? state.lastNumber + 1
            let handle = Handle(rawValue: state.lastNumber)
            state.values[handle] = value
            // Under the lock, so that the log has it as long as the table does.
            write(handle, value)
            return handle
        }
    }

    /// How many handles there are.
    var count: Int {
        state.withLock { $0.values.count }
    }

    /// What `handle` stands for; `nil` for one that was removed or never given out.
    subscript(handle: Handle) -> Value? {
        state.withLock { $0.values[handle] }
    }

    /// Ends a handle. The value is returned so that it goes outside of the lock.
    @discardableResult
    func remove(_ handle: Handle) -> Value? {
        state.withLock { state in
            let value = state.values.removeValue(forKey: handle)
            if value != nil { log?.remove(kind, id: handle.rawValue) }
            return value
        }
    }

    // MARK: What the next process must know

    /// Takes in the handles that a process before had given out, as `makeValue` makes them of what it told of them. Those that
    /// it makes nothing of are ended.
    func restore(_ makeValue: (Handle, [UInt64]) -> Value?) throws(StateLogError) {
        guard let log else { return }
        for (number, words) in try log.words(kind) {
            let handle = Handle(rawValue: number)
            if let value = makeValue(handle, words) {
                state.withLock { $0.values[handle] = value }
            } else {
                log.remove(kind, id: number)
            }
        }
    }

    /// All handles, and what they stand for.
    var all: [(handle: Handle, value: Value)] {
        state.withLock { $0.values.map { ($0.key, $0.value) } }
    }

    /// What a handle stands for has changed.
    func noteChange(of handle: Handle) {
        state.withLock { state in
            if let value = state.values[handle] { write(handle, value) }
        }
    }

    /// Writes all handles anew.
    func writeAll() {
        state.withLock { state in
            for (handle, value) in state.values { write(handle, value) }
        }
    }

    private func write(_ handle: Handle, _ value: Value) {
        log?.set(kind, id: handle.rawValue, value.words)
    }
}
