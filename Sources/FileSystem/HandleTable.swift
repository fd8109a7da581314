import StateLog
import Synchronization

/// The id of an open file or directory in the FUSE protocol (`fh`).
public struct Handle: RawRepresentable, Hashable, Sendable {
    /// The number in the protocol.
    public let rawValue: UInt64

    /// The handle with this number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// The value of a handle.
protocol OpenedByHandle: Sendable {
    /// The values that the next process needs.
    var words: InlineArray<3, UInt64> { get }
}

/// The values of all handles. A number is never used twice, not even by the next process, so that a late request can't
/// reach another file.
final class HandleTable<Value: OpenedByHandle>: Sendable {
    private struct State {
        var values: [Handle: Value] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())
    private let kind: RecordKind
    private let log: StateLog?

    /// Creates a table without handles.
    ///
    /// - Parameter log: The log for handles, as records of `kind`.
    init(_ kind: RecordKind, log: StateLog?) {
        self.kind = kind
        self.log = log
    }

    /// Returns a new handle for `value`.
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

    /// The number of handles.
    var count: Int {
        state.withLock { $0.values.count }
    }

    /// Returns the value of `handle`; `nil` for one that was removed or never created.
    subscript(handle: Handle) -> Value? {
        state.withLock { $0.values[handle] }
    }

    /// Removes a handle. Returns its value, so that it is released outside of the lock.
    @discardableResult
    func remove(_ handle: Handle) -> Value? {
        state.withLock { state in
            let value = state.values.removeValue(forKey: handle)
            if value != nil { log?.remove(kind, id: handle.rawValue) }
            return value
        }
    }

    // MARK: State for the next process

    /// Restores the handles of the former process. `makeValue` creates a value from its words; a handle for which it
    /// returns `nil` is removed.
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

    /// All handles and their values.
    var all: [(handle: Handle, value: Value)] {
        state.withLock { $0.values.map { ($0.key, $0.value) } }
    }

    /// Writes the changed value of a handle.
    func noteChange(of handle: Handle) {
        state.withLock { state in
            if let value = state.values[handle] { write(handle, value) }
        }
    }

    /// Writes all handles again.
    func writeAll() {
        state.withLock { state in
            for (handle, value) in state.values { write(handle, value) }
        }
    }

    private func write(_ handle: Handle, _ value: Value) {
        log?.set(kind, id: handle.rawValue, value.words)
    }
}
