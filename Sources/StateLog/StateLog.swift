// How the state of a server outlives it
// -------------------------------------
// The kernel relies on what a server has told it: numbers of inodes and how often it was told of them, handles, files that it
// was lent. A server that takes over must know all that again. So each such state is written here *before* the reply that
// makes the kernel rely on it, and what the kernel has let go of is taken out when it has. A server that dies in between
// leaves too much, which is a leak, and never too little.
//
// A record says what holds from now on of one kind and id, and never what changes about it, so that reading the log is a
// matter of order alone: the last record of a kind and id holds. Records of all threads are written under one lock, and the
// end of the records is moved on behind each. A server that is killed in the middle of one hasn't written it. What a
// process has stored in a mapping of a file is the kernel's, so a crash of the *process* loses nothing of it; a crash of the
// machine takes the mount with it as well. Hence no fsync, and no checksums.
//
// There are two files. When one has grown to twice what it had when it was whole, the other one is begun: from then on all
// records go there, and a thread has the owners of all states write them there anew. As long as that goes on, the log is the
// first file and then the second; then the second is whole, and the first is given back. A server that dies meanwhile leaves
// a log like any other, and its successor goes on in the second file.

public import Logging
import Synchronization
public import SystemPackage
import SystemSupport

/// What the next serving process must know, should this one die: records in files without a name, which are inherited from one
/// server to the next.
public final class StateLog: Sendable {
    /// How many servers there have been before this one; 0 for who has created the log.
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
        /// At which size the active file is to be rewritten.
        var rewriteByteCount: Int
        /// What there are records of.
        var kinds: Set<RecordKind> = []
        var owners: [Ownership] = []
        /// What the log itself keeps.
        var kept: [RecordKind: [UInt8]] = [:]
    }

    fileprivate struct Ownership: Sendable {
        let kinds: Set<RecordKind>
        weak var owner: (any StateOwner)?
    }

    /// A smaller log isn't rewritten, unless it must be.
    public static let rewriteByteCountMin = 16 << 20
    /// How many bits of an id count what one server has made.
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

    /// A new log without records.
    ///
    /// - Parameters:
    ///   - rewriteByteCountMin: A smaller one isn't rewritten.
    ///   - logger: Where it is told that nothing can be written any more.
    public static func create(
        rewriteByteCountMin: Int = StateLog.rewriteByteCountMin, logger: Logger
    ) throws(StateLogError) -> StateLog {
        StateLog(
            try StateFiles.create(), serverNumber: 0, rewriteByteCountMin: rewriteByteCountMin, logger: logger)
    }

    /// The log of a server that has died, or of who has created it: `descriptors` as theirs. Closes them in the end. Fails where
    /// no mount can be taken over with it.
    public convenience init(
        inheriting descriptors: [FileDescriptor], rewriteByteCountMin: Int = StateLog.rewriteByteCountMin,
        logger: Logger
    ) throws(StateLogError) {
        let files = try StateFiles.open(descriptors)
        var kinds: Set<RecordKind> = []
        var kept: [RecordKind: [UInt8]] = [:]
        try files.forEachRecord { header, content in
            kinds.insert(header.kind)
            if header.kind.isKeptByLog { kept[header.kind] = content.withUnsafeBytes { Array($0) } }
        }
        let number = 1 + (try kept[.serverNumber].map(Self.number) ?? 0)
        let isWhole = files.isWhole
        let byteCount = files.byteCount
        self.init(files, serverNumber: number, rewriteByteCountMin: rewriteByteCountMin, logger: logger)
        state.withLock { state in
            state.kinds = kinds
            state.kept = kept
            state.rewriteByteCount = isWhole ? max(rewriteByteCountMin, byteCount) : 0
        }
        keep(.serverNumber, Self.bytes(number))
    }

    /// What another process needs to go on with this log. Closed with this instance, and by exec.
    public var descriptors: [FileDescriptor] { state.withLock { $0.files.descriptors } }

    /// Whether something could not be written, by this process or another one, so that no mount can be taken over any more.
    public var isLost: Bool { state.withLock { $0.files.isLost } }

    /// A number that no other server that writes to this log has, and none of this one has had.
    public func makeID() -> UInt64 { lastID.add(1, ordering: .relaxed).newValue }

    // MARK: Writing

    /// Counts how often the log has begun to be written anew. A record that others refer to must be in the same edition as
    /// they, or in a later one.
    public var edition: UInt64 { currentEdition.load(ordering: .acquiring) }

    /// From now on this holds. Returns the edition that it was written to.
    @discardableResult
    public func set(_ kind: RecordKind, id: UInt64, _ content: RawSpan) -> UInt64 {
        append(RecordHeader(kind, id: id, contentByteCount: content.byteCount), content)
    }

    /// The same with words, as they lie in memory: the log never leaves the machine.
    @discardableResult
    public func set<let count: Int>(_ kind: RecordKind, id: UInt64, _ words: InlineArray<count, UInt64>) -> UInt64 {
        set(kind, id: id, words.span.bytes)
    }

    /// From now on there is nothing of this kind and id.
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
            state.kinds.insert(header.kind)
            return (state.files.edition, state.files.byteCount >= state.rewriteByteCount)
        }
        if let failure { warn(failure) }
        if isDue { rewriteIfPossible() }
        return edition
    }

    private func warn(_ failure: Errno) {
        logger.warning(
            "there is no room to keep what a successor of this process would have to know; should it crash, the mount ends",
            metadata: ["reason": "\(failure)"])
    }

    /// Keeps something that there is one of, for good: nobody need own it.
    public func keep(_ kind: RecordKind, _ content: [UInt8]) {
        precondition(kind.isKeptByLog)
        state.withLock { $0.kept[kind] = content }
        set(kind, id: 0, content.span.bytes)
    }

    private static func bytes(_ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number) { Array($0) }
    }

    private static func number(_ bytes: [UInt8]) throws(StateLogError) -> UInt64 {
        guard let number = words(bytes.span.bytes).first else { throw StateLogError("the log of the state is damaged") }
        return number
    }

    // MARK: Writing anew

    /// From now on records of these kinds are `owner`'s, who writes them anew when asked to. The log isn't written anew before
    /// all kinds that it has have an owner.
    public func own(_ kinds: Set<RecordKind>, by owner: any StateOwner) {
        let isDue = state.withLock { state in
            state.owners.append(Ownership(kinds: kinds, owner: owner))
            if !state.files.isWhole, !state.isRewriting { state.rewriteByteCount = 0 }
            return state.files.byteCount >= state.rewriteByteCount
        }
        if isDue { rewriteIfPossible() }
    }

    private func rewriteIfPossible() {
        guard let owners = state.withLock({ $0.beginRewriting(writing: currentEdition) }) else { return }
        DetachedThread.start { [self] in
            for owner in owners { owner.writeState(to: self) }
            state.withLock { $0.endRewriting(rewriteByteCountMin) }
        }
    }

    // MARK: Reading

    /// What was kept last.
    public func kept(_ kind: RecordKind) -> [UInt8]? {
        state.withLock { $0.kept[kind] }
    }

    /// Tells the records of a kind in the order in which they were written: each takes the place of those of the same id before
    /// it. Nothing may be written meanwhile, in particular not by `set` and `remove`.
    public func replay(
        _ kind: RecordKind, set: (UInt64, RawSpan) throws(StateLogError) -> Void,
        remove: (UInt64) -> Void = { _ in }
    ) throws(StateLogError) {
        try state.withLock { state throws(StateLogError) in
            guard state.kinds.contains(kind) else { return }
            try state.files.forEachRecord { header, content throws(StateLogError) in
                guard header.kind == kind else { return }
                header.isRemoval ? remove(header.id) : try set(header.id, content)
            }
        }
    }

    /// The records of a kind that hold, as words.
    public func words(_ kind: RecordKind) throws(StateLogError) -> [UInt64: [UInt64]] {
        var records: [UInt64: [UInt64]] = [:]
        try replay(kind) { id, content in
            records[id] = StateLog.words(content)
        } remove: { id in
            records[id] = nil
        }
        return records
    }

    /// The words of a record; what is left over isn't looked at.
    public static func words(_ content: RawSpan) -> [UInt64] {
        (0..<content.byteCount / 8).map { content.unsafeLoadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self) }
    }
}

extension StateLog.State {
    /// Begins to write the log anew, in the other file unless that was begun before. Returns the owners of what there is; `nil`
    /// where one is missing, or somebody is at it.
    mutating func beginRewriting(writing currentEdition: borrowing Atomic<UInt64>) -> [any StateOwner]? {
        if isRewriting || isLost || files.byteCount < rewriteByteCount { return nil }
        owners.removeAll { $0.owner == nil }
        let owned = owners.reduce(into: Set(kept.keys)) { $0.formUnion($1.kinds) }
        guard kinds.isSubset(of: owned) else {
            // Not to be asked for each record.
            rewriteByteCount = files.byteCount + StateLog.rewriteByteCountMin
            return nil
        }
        if files.isWhole {
            do throws(Errno) {
                try files.beginRewriting()
            } catch {
                // There is no room for a second file, but perhaps for more in the first one.
                rewriteByteCount = 2 * files.byteCount
                return nil
            }
            currentEdition.store(files.edition, ordering: .releasing)
        }
        isRewriting = true
        rewriteByteCount = .max
        for (kind, content) in kept {
            // If this fails, the next record does as well, and tells.
            try? files.append(RecordHeader(kind, id: 0, contentByteCount: content.count), content.span.bytes)
        }
        return owners.compactMap(\.owner)
    }

    /// All that holds has been written.
    mutating func endRewriting(_ rewriteByteCountMin: Int) {
        isRewriting = false
        if isLost { return }
        files.endRewriting()
        rewriteByteCount = max(rewriteByteCountMin, 2 * files.byteCount)
    }
}
