import Namespace
import StateLog
import Synchronization

/// Inode numbers below 2^32 for programs of 32 bits. Each one stands for a number of 62 bits (`Inode.number`).
///
/// A short number is a hash of the long one. If another name has it already, the next free number is used. The log has
/// these moved numbers, so that the next process uses the same. They are rare: one in some thousands.
struct ShortNumberTable {
    /// The long number of each short one.
    private var owners: [UInt32: UInt64] = [:]
    /// The short numbers that differ from the hash, because another name had it.
    private(set) var moved: [UInt64: UInt32] = [:]

    private static let least: UInt32 = 2

    /// The number of names that have a short number.
    var count: Int { owners.count }

    /// Returns the short number for a long one. `isMoved` is `true` if the hash's number was taken, so that the state
    /// log must have this one.
    mutating func short(for long: UInt64) -> (number: UInt32, isMoved: Bool) {
        if let number = moved[long] { return (number, false) }
        let preferred = Self.preferred(for: long)
        var number = preferred
        // No memory holds as many names as there are numbers, so there is a free one.
        while let owner = owners[number], owner != long { number = max(number &+ 1, Self.least) }
        owners[number] = long
        if number == preferred { return (number, false) }
        moved[long] = number
        return (number, true)
    }

    /// Adds a number from the log.
    mutating func restore(_ number: UInt32, for long: UInt64) {
        owners[number] = long
        moved[long] = number
    }

    /// Drops all names but `known` and those that were moved.
    mutating func forget(allBut known: [UInt64]) {
        owners = Dictionary(uniqueKeysWithValues: moved.map { ($0.value, $0.key) })
        for long in known { _ = short(for: long) }
    }

    /// Returns both halves of the long number, a hash, combined.
    static func preferred(for long: UInt64) -> UInt32 {
        max(UInt32(truncatingIfNeeded: long ^ long >> 32), least)
    }
}

/// The table of one mount (`--inode-bits 32`).
final class ShortNumbers: Sendable {
    /// The number of names up to which none are dropped. Beyond it, and beyond twice the names that the kernel knew
    /// last time, the table drops names that the kernel doesn't know: it would grow for as long as the bucket changes.
    static let countMin = 1 << 20

    private struct State {
        var table = ShortNumberTable()
        var countMax = ShortNumbers.countMin
    }

    private let state = Mutex(State())
    private let log: StateLog?
    private let known: @Sendable () -> [UInt64]

    /// Creates a table without numbers.
    ///
    /// - Parameters:
    ///   - log: The log for moved numbers.
    ///   - known: Returns the long numbers of all inodes that the kernel knows.
    init(log: StateLog?, known: @escaping @Sendable () -> [UInt64]) {
        self.log = log
        self.known = known
    }

    /// Returns the number that users see instead of a long one.
    func short(for long: UInt64) -> UInt64 {
        state.withLock { state in
            if state.table.count >= state.countMax {
                state.table.forget(allBut: known())
                state.countMax = max(Self.countMin, state.table.count * 2)
            }
            let (number, isMoved) = state.table.short(for: long)
            // Under the lock, so that the log and the table agree.
            if isMoved { log?.write(number, for: long) }
            return UInt64(number)
        }
    }
}

// MARK: State for the next process

extension ShortNumbers: StateOwner {
    /// Restores the numbers of the former process. Must be called after the namespace has its inodes.
    func restore() throws(StateLogError) {
        guard let log else { return }
        let numbers = try log.words(.shortNumber)
        let known = known()
        state.withLock { state in
            for (long, words) in numbers {
                if let number = words.first.flatMap(UInt32.init(exactly:)) { state.table.restore(number, for: long) }
            }
            for long in known {
                let (number, isMoved) = state.table.short(for: long)
                if isMoved { log.write(number, for: long) }
            }
        }
        log.own([.shortNumber], by: self)
    }

    func writeState(to log: StateLog) {
        state.withLock { state in
            for (long, number) in state.table.moved { log.write(number, for: long) }
        }
    }
}

extension StateLog {
    fileprivate func write(_ number: UInt32, for long: UInt64) {
        set(.shortNumber, id: long, [UInt64(number)])
    }
}
