// How the state of a server outlives it
// -------------------------------------
// The kernel relies on what a server has told it: inode numbers and their lookup counts, handles, registered backing
// files. A server that takes over must know all that. So each such state is written here *before* the reply that makes
// the kernel rely on it, and is removed *after* the kernel has released it. A server that dies in between leaves too
// much, which is a leak, and never too little.
//
// A record states the current value for one kind and id, never a change, so only the order matters when the log is
// read: the last record of a kind and id is valid. The records of all threads are written under one lock, and the end
// of the records moves after each one. A server that is killed within a record hasn't written it. Bytes stored in a
// file mapping belong to the kernel, so a crash of the *process* loses none; a crash of the machine ends the mount as
// well. Hence no fsync, and no checksums.
//
// There are two files. When one has grown to twice its size when it was whole, the log is rewritten: from then on all
// records go to the other file, and a thread has the owners of all states write them there again. Meanwhile the log is
// the first file followed by the second; afterwards the second is whole, and the first is freed. A server that dies
// meanwhile leaves a normal log, and its successor continues in the second file.

public import Logging
import Synchronization
public import SystemPackage
import SystemSupport

/// The state that the next serving process needs if this one dies: records in unnamed files, which one server inherits
/// from another.
public final class StateLog: Sendable {
    /// The number of servers before this one; 0 for the process that created the log.
    public let serverNumber: UInt64
    private let state: Mutex<State>
    private let currentEdition: Atomic<UInt64>
    private let lastID: Atomic<UInt64>
    private let rewriteByteCountMin: Int
    private let logger: Logger

    fileprivate struct State: ~Copyable, Sendable {
        var files: StateFiles
        var isRewriting = false
        var isLost = false
        /// The size at which the active file is rewritten.
        var rewriteByteCount: Int
        /// The bits of the kinds that have records. Not a set, since each record adds its kind.
        var kinds: UInt64 = 0
        var owners: [Ownership] = []
        /// The values that the log itself stores.
        var values: [RecordKind: [UInt8]] = [:]
    }

    fileprivate struct Ownership: Sendable {
        let kinds: UInt64
        weak var owner: (any StateOwner)?
    }

    /// The size below which the log isn't rewritten, unless it must be.
    public static let rewriteByteCountMin = 16 << 20
    /// The number of id bits that count the ids of one server.
    static let idBitCount: UInt64 = 40

    private init(
        _ files: consuming StateFiles, serverNumber: UInt64, rewriteByteCountMin: Int, logger: Logger
    ) {
        self.serverNumber = serverNumber
        self.logger = logger
        self.rewriteByteCountMin = rewriteByteCountMin
        currentEdition = Atomic(files.edition)
        lastID = Atomic(serverNumber << Self.idBitCount)
        state = Mutex(State(files: files, rewriteByteCount: rewriteByteCountMin))
    }

    /// Creates a new log without records.
    ///
    /// - Parameters:
    ///   - rewriteByteCountMin: The size below which the log isn't rewritten.
    ///   - logger: The log for the failure of all further writes.
    public static func create(
        rewriteByteCountMin: Int = StateLog.rewriteByteCountMin, logger: Logger
    ) throws(StateLogError) -> StateLog {
        StateLog(
            try StateFiles.create(), serverNumber: 0, rewriteByteCountMin: rewriteByteCountMin, logger: logger)
    }

    /// Continues the log of a dead server, or of the process that created it, with its `descriptors`. Closes them with
    /// this instance. Throws if no mount can be taken over with it.
    public convenience init(
        inheriting descriptors: [FileDescriptor], rewriteByteCountMin: Int = StateLog.rewriteByteCountMin,
        logger: Logger
    ) throws(StateLogError) {
        let files = try StateFiles.open(descriptors)
        var kinds: UInt64 = 0
        var values: [RecordKind: [UInt8]] = [:]
        try files.forEachRecord { header, content in
            kinds |= header.kind.bit
            if header.kind.isSingleValue { values[header.kind] = content.withUnsafeBytes { Array($0) } }
        }
        let number = 1 + (try values[.serverNumber].map(Self.number) ?? 0)
        let isWhole = files.isWhole
        let byteCount = files.byteCount
        self.init(files, serverNumber: number, rewriteByteCountMin: rewriteByteCountMin, logger: logger)
        state.withLock { state in
            state.kinds = kinds
            state.values = values
            state.rewriteByteCount = isWhole ? max(rewriteByteCountMin, byteCount) : 0
        }
        setValue(of: .serverNumber, words: [number])
    }

    /// The descriptors that another process needs to continue this log. They are closed with this instance, and by
    /// exec.
    public var descriptors: [FileDescriptor] { state.withLock { $0.files.descriptors } }

    /// `true` if this or another process failed to write a record, so that no mount can be taken over any more.
    public var isLost: Bool { state.withLock { $0.files.isLost } }

    /// Returns a number that is unique among all servers that write to this log.
    public func makeID() -> UInt64 { lastID.add(1, ordering: .relaxed).newValue }

    // MARK: Writing

    /// The number of rewrites begun. A record that others refer to must be in the same edition as they are, or in a
    /// later one.
    public var edition: UInt64 { currentEdition.load(ordering: .acquiring) }

    /// Records a value. Returns the edition that it was written to.
    @discardableResult
    public func set(_ kind: RecordKind, id: UInt64, _ content: RawSpan) -> UInt64 {
        append(RecordHeader(kind, id: id, contentByteCount: content.byteCount), content)
    }

    /// Records words in native byte order: the log never leaves the machine.
    @discardableResult
    public func set<let count: Int>(_ kind: RecordKind, id: UInt64, _ words: InlineArray<count, UInt64>) -> UInt64 {
        set(kind, id: id, words.span.bytes)
    }

    /// Records that this kind and id no longer have a value.
    public func remove(_ kind: RecordKind, id: UInt64) {
        let none: InlineArray<0, UInt64> = []
        append(RecordHeader(kind, id: id, contentByteCount: 0, isRemoval: true), none.span.bytes)
    }

    @discardableResult
    private func append(_ header: RecordHeader, _ content: RawSpan) -> UInt64 {
        var failure: Errno?
        let (edition, isDue) = state.withLock { state -> (UInt64, Bool) in
            if state.isLost { return (state.files.edition, false) }
            do throws(Errno) {
                try state.files.append(header, content)
            } catch {
                failure = error
                state.isLost = true
                state.files.lose()
            }
            state.kinds |= header.kind.bit
            return (state.files.edition, state.files.byteCount >= state.rewriteByteCount)
        }
        if let failure { warn(failure) }
        if isDue { rewriteIfPossible() }
        return edition
    }

    private func warn(_ failure: Errno) {
        logger.warning(
            "cannot store the state for a successor of this process; if it crashes, the mount ends",
            metadata: ["reason": "\(failure)"])
    }

    /// Stores the value of a kind that needs no owner.
    public func setValue(of kind: RecordKind, _ content: [UInt8]) {
        precondition(kind.isSingleValue)
        state.withLock { $0.values[kind] = content }
        set(kind, id: 0, content.span.bytes)
    }

    private static func number(_ bytes: [UInt8]) throws(StateLogError) -> UInt64 {
        guard let number = words(bytes.span.bytes).first else { throw StateLogError("the log of the state is damaged") }
        return number
    }

    // MARK: Rewriting

    /// Makes `owner` responsible for rewriting records of these kinds on request. The log isn't rewritten before all
    /// its kinds have an owner.
    public func own(_ kinds: Set<RecordKind>, by owner: any StateOwner) {
        let isDue = state.withLock { state in
            state.owners.append(Ownership(kinds: Self.bits(kinds), owner: owner))
            if !state.files.isWhole, !state.isRewriting { state.rewriteByteCount = 0 }
            return state.files.byteCount >= state.rewriteByteCount
        }
        if isDue { rewriteIfPossible() }
    }

    fileprivate static func bits(_ kinds: some Sequence<RecordKind>) -> UInt64 { kinds.reduce(0) { $0 | $1.bit } }

    private func rewriteIfPossible() {
        guard let owners = state.withLock({ $0.beginRewriting(writing: currentEdition) }) else { return }
        DetachedThread.start { [self] in
            for owner in owners { owner.writeState(to: self) }
            state.withLock { $0.endRewriting(rewriteByteCountMin) }
        }
    }

    /// Stores a value of words for a kind that needs no owner.
    public func setValue(of kind: RecordKind, words: [UInt64]) {
        setValue(of: kind, words.withUnsafeBytes { Array($0) })
    }

    // MARK: Reading

    /// Returns the stored value of a kind.
    public func value(of kind: RecordKind) -> [UInt8]? {
        state.withLock { $0.values[kind] }
    }

    /// Returns the stored value of a kind as words.
    public func valueWords(of kind: RecordKind) -> [UInt64]? {
        value(of: kind).map { StateLog.words($0.span.bytes) }
    }

    /// Calls `body` with the records of a kind in the order in which they were written; each one replaces earlier
    /// records with the same id. The log must not be written meanwhile, in particular not by `set` and `remove`.
    public func replay(
        _ kind: RecordKind, set: (UInt64, RawSpan) throws(StateLogError) -> Void,
        remove: (UInt64) -> Void = { _ in }
    ) throws(StateLogError) {
        try state.withLock { state throws(StateLogError) in
            guard state.kinds & kind.bit != 0 else { return }
            try state.files.forEachRecord { header, content throws(StateLogError) in
                guard header.kind == kind else { return }
                header.isRemoval ? remove(header.id) : try set(header.id, content)
            }
        }
    }

    /// Returns the valid records of a kind, as words.
    public func words(_ kind: RecordKind) throws(StateLogError) -> [UInt64: [UInt64]] {
        var records: [UInt64: [UInt64]] = [:]
        try replay(kind) { id, content in
            records[id] = StateLog.words(content)
        } remove: { id in
            records[id] = nil
        }
        return records
    }

    /// Returns the words of a record; trailing bytes are ignored.
    public static func words(_ content: RawSpan) -> [UInt64] {
        (0..<content.byteCount / 8).map { content.unsafeLoadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
    }
}

extension StateLog.State {
    /// Begins a rewrite into the other file, or continues one begun before. Returns the owners of all states; `nil` if
    /// an owner is missing, or a rewrite is running.
    mutating func beginRewriting(writing currentEdition: borrowing Atomic<UInt64>) -> [any StateOwner]? {
        if isRewriting || isLost || files.byteCount < rewriteByteCount { return nil }
        owners.removeAll { $0.owner == nil }
        let owned = owners.reduce(StateLog.bits(values.keys)) { $0 | $1.kinds }
        guard kinds & ~owned == 0 else {
            // Avoids a new attempt at each record.
            rewriteByteCount = files.byteCount + StateLog.rewriteByteCountMin
            return nil
        }
        if files.isWhole {
            do throws(Errno) {
                try files.beginRewriting()
            } catch {
                // The disk has no space for a second file, but perhaps for more in the first one.
                rewriteByteCount = 2 * files.byteCount
                return nil
            }
            currentEdition.store(files.edition, ordering: .releasing)
        }
        isRewriting = true
        rewriteByteCount = .max
        for (kind, content) in values {
            // If this fails, the next record fails too, and reports it.
            try? files.append(RecordHeader(kind, id: 0, contentByteCount: content.count), content.span.bytes)
        }
        return owners.compactMap(\.owner)
    }

    /// Records that the rewrite is complete.
    mutating func endRewriting(_ rewriteByteCountMin: Int) {
        isRewriting = false
        if isLost { return }
        files.endRewriting()
        rewriteByteCount = max(rewriteByteCountMin, 2 * files.byteCount)
    }
}
