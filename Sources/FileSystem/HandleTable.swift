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

/// What handles stand for. A number is never used twice, so that a late request can't meet somebody else's file.
final class HandleTable<Value: Sendable>: Sendable {
    private struct State {
        var values: [Handle: Value] = [:]
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    /// A new handle for `value`.
    func insert(_ value: Value) -> Handle {
        state.withLock { state in
            state.lastNumber += 1
            let handle = Handle(rawValue: state.lastNumber)
            state.values[handle] = value
            return handle
        }
    }

    /// What `handle` stands for; `nil` for one that was removed or never given out.
    subscript(handle: Handle) -> Value? {
        state.withLock { $0.values[handle] }
    }

    /// Ends a handle. The value is returned so that it goes outside of the lock.
    @discardableResult
    func remove(_ handle: Handle) -> Value? {
        state.withLock { $0.values.removeValue(forKey: handle) }
    }
}
