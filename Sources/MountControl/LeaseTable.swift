import SystemSupport
import struct SystemPackage.Errno

/// Values that callers hold by token, each until its lease ends.
///
/// A lease belongs to no open folder: a killed command stops renewing it, and the lease ends.
struct Leases<Value> {
    private struct Entry {
        /// `nil` while the value is being made.
        var value: Value?
        var end: ContinuousClock.Instant?
    }

    private let countMax: Int
    private let duration: Duration
    private var entries: [UInt64: Entry] = [:]

    /// Creates an empty table.
    ///
    /// - Parameters:
    ///   - countMax: The most values at a time.
    ///   - duration: The time from a value's insertion or renewal to the end of its lease.
    init(countMax: Int, duration: Duration) {
        self.countMax = countMax
        self.duration = duration
    }

    /// Returns a token for a value that is about to be made; `nil` if there are too many values.
    mutating func reserve() -> UInt64? {
        guard entries.count < countMax else { return nil }
        // Unpredictable, so that no other user can name it, nor can it be one that an earlier server has given out.
        let token = UInt64.random(in: 1...(.max))
        entries[token] = Entry()
        return token
    }

    /// Sets the value of a reserved token.
    mutating func set(_ value: Value, for token: UInt64, at now: ContinuousClock.Instant) {
        entries[token] = Entry(value: value, end: now + duration)
    }

    /// Returns a token's value, and renews the lease.
    mutating func renew(_ token: UInt64, at now: ContinuousClock.Instant) -> Value? {
        guard let entry = entries[token], let value = entry.value, let end = entry.end, end > now else { return nil }
        set(value, for: token, at: now)
        return value
    }

    /// Ends a lease.
    mutating func remove(_ token: UInt64) {
        entries[token] = nil
    }

    /// Removes the values whose leases have ended, and returns them.
    mutating func removeExpired(at now: ContinuousClock.Instant) -> [Value] {
        let expired = entries.filter { $0.value.end.map { $0 <= now } ?? false }
        for token in expired.keys { entries[token] = nil }
        return expired.values.compactMap(\.value)
    }

    /// The end of the lease that ends first; `nil` if there is none.
    var nextEnd: ContinuousClock.Instant? { entries.values.compactMap(\.end).min() }

    var isEmpty: Bool { entries.isEmpty }
}

/// `Leases` for several threads. While there are any, a thread of their own ends those that have expired.
final class LeaseTable<Value: Sendable>: Sendable {
    private struct State {
        var leases: Leases<Value>
        var hasThread = false
    }

    private let state: Monitor<State>
    private let didExpire: @Sendable (Value) -> Void

    /// Creates an empty table. Its limits are those of `Leases`.
    ///
    /// - Parameter didExpire: Receives each value whose lease has ended.
    init(countMax: Int, duration: Duration, didExpire: @escaping @Sendable (Value) -> Void = { _ in }) {
        state = Monitor(State(leases: Leases(countMax: countMax, duration: duration)))
        self.didExpire = didExpire
    }

    /// Adds the value that `make` returns.
    ///
    /// - Throws: EBUSY if there are too many values, or the error of `make`.
    /// - Returns: Its token.
    func insert(_ make: () throws(Errno) -> Value) throws(Errno) -> UInt64 {
        guard let token = state.change({ $0.leases.reserve() }) else { throw .resourceBusy }
        do throws(Errno) {
            let value = try make()
            let mustStart = state.change { state in
                state.leases.set(value, for: token, at: .now)
                defer { state.hasThread = true }
                return !state.hasThread
            }
            if mustStart { DetachedThread.start { [self] in removeExpired() } }
            return token
        } catch {
            remove(token)
            throw error
        }
    }

    /// Returns a token's value, and renews the lease.
    ///
    /// - Throws: ENODATA if there is no such lease.
    func renew(_ token: UInt64) throws(Errno) -> Value {
        guard let value = state.change({ $0.leases.renew(token, at: .now) }) else { throw .noData }
        return value
    }

    /// Ends a lease.
    func remove(_ token: UInt64) {
        state.change { $0.leases.remove(token) }
    }

    private func removeExpired() {
        while true {
            let (expired, nextEnd) = state.change { state in
                let expired = state.leases.removeExpired(at: .now)
                let nextEnd = state.leases.nextEnd
                state.hasThread = nextEnd != nil
                return (expired, nextEnd)
            }
            for value in expired { didExpire(value) }
            guard let nextEnd else { return }
            state.wait(atMost: nextEnd - .now) { $0.leases.isEmpty }
        }
    }
}
