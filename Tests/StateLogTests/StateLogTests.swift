import CLinux
import Glibc
import Logging
import Synchronization
import SystemPackage
import Testing
import TestSupport

@testable import StateLog

/// A server's state and its log. The records have invented contents.
private final class LoggedState: StateOwner {
    struct Key: Hashable {
        let kind: RecordKind
        let id: UInt64
    }

    static let kinds: Set<RecordKind> = [.entryBlock, .inodeRow, .openFile]

    private let records: Mutex<[Key: [UInt8]]>
    let log: StateLog

    /// Restores the state from the log.
    init(_ log: StateLog) throws {
        self.log = log
        var records: [Key: [UInt8]] = [:]
        for kind in Self.kinds {
            try log.replay(kind) { id, content in
                records[Key(kind: kind, id: id)] = content.withUnsafeBytes { Array($0) }
            } remove: { id in
                records[Key(kind: kind, id: id)] = nil
            }
        }
        self.records = Mutex(records)
        log.own(Self.kinds, by: self)
    }

    var content: [Key: [UInt8]] { records.withLock { $0 } }

    func set(_ key: Key, _ bytes: [UInt8]) {
        records.withLock { records in
            records[key] = bytes
            log.set(key.kind, id: key.id, bytes.span.bytes)
        }
    }

    func remove(_ key: Key) {
        records.withLock { records in
            records[key] = nil
            log.remove(key.kind, id: key.id)
        }
    }

    func writeState(to log: StateLog) {
        // Key by key, so that changes happen in between.
        for key in records.withLock({ Array($0.keys) }) {
            records.withLock { records in
                if let bytes = records[key] { log.set(key.kind, id: key.id, bytes.span.bytes) }
            }
        }
    }

    /// Returns the files as they are now.
    func filesAfterKill() throws -> [FileDescriptor] {
        try records.withLock { _ in try TestSupport.filesAfterKill(of: log) }
    }

    func changeSomething(using random: inout SeededGenerator) {
        let kind = Self.kinds.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &random) ?? .openFile
        let key = Key(kind: kind, id: UInt64.random(in: 0..<40, using: &random))
        guard Int.random(in: 0..<3, using: &random) > 0 else { return remove(key) }
        let byteCount = Int.random(in: 0..<(Int.random(in: 0..<20, using: &random) == 0 ? 3_000 : 40), using: &random)
        set(key, (0..<byteCount).map { _ in UInt8.random(in: .min ... .max, using: &random) })
    }
}

@Suite("The state log") struct StateLogTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    /// A small size, so that the log is rewritten all the time.
    private let rewriteByteCountMin = 6_000

    @Test("The state log has all records that were written before its server was killed", arguments: 0..<40)
    func survivesKills(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var state = try LoggedState(.create(rewriteByteCountMin: rewriteByteCountMin, logger: logger))
        for number in 1...UInt64(6) {
            for _ in 0..<Int.random(in: 0..<600, using: &random) { state.changeSomething(using: &random) }
            let content = state.content
            let files = try state.filesAfterKill()
            try writeHalfARecord(to: files, using: &random)
            let log = try StateLog(
                inheriting: files, rewriteByteCountMin: rewriteByteCountMin, logger: logger)
            #expect(log.serverNumber == number, "seed \(seed)")
            state = try LoggedState(log)
            #expect(state.content == content, "seed \(seed)")
        }
    }

    /// Writes a partial record after the last one, like a server that is killed during a write.
    private func writeHalfARecord(to files: [FileDescriptor], using random: inout SeededGenerator) throws {
        for file in files {
            let head = try read(file, 0..<40)
            let end = head.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 24, as: UInt64.self) }
            let byteCount = Int64(lseek(file.rawValue, 0, SEEK_END))
            let junk = (0..<Int.random(in: 0..<64, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            guard end > 0, Int64(end) + Int64(junk.count) <= byteCount else { continue }
            try file.writeAll(toAbsoluteOffset: Int64(end), junk)
        }
    }

    private func read(_ file: FileDescriptor, _ range: Range<Int>) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
            count = try file.read(
                fromAbsoluteOffset: Int64(range.lowerBound), into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    @Test("The state log never grows beyond a few times its valid records", arguments: [0])
    func staysSmall(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let log = try StateLog.create(rewriteByteCountMin: rewriteByteCountMin, logger: logger)
        let state = try LoggedState(log)
        let edition = log.edition
        for _ in 0..<4_000 { state.changeSomething(using: &random) }
        #expect(log.edition > edition)
        // Each file consists of whole windows, and begins again with one.
        try eventually("the file before is given back") {
            log.descriptors.map { Int(lseek($0.rawValue, 0, SEEK_END)) }.min() == StateFile.headByteCount
        }
    }

    @Test("The state log refuses junk, and never crashes on it", arguments: 0..<200)
    func refusesJunk(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let state = try LoggedState(.create(rewriteByteCountMin: 2_000, logger: logger))
        for _ in 0..<60 { state.changeSomething(using: &random) }
        let files = try state.filesAfterKill()
        for _ in 0..<Int.random(in: 1...8, using: &random) {
            let offset =
                Bool.random(using: &random)
                ? Int64.random(in: 0..<40, using: &random) : 4_096 + Int64.random(in: 0..<4_000, using: &random)
            let byte = [UInt8.random(in: .min ... .max, using: &random)]
            try files[Int.random(in: 0...1, using: &random)].writeAll(toAbsoluteOffset: offset, byte)
        }
        // A changed byte may or may not be detected, depending on its position.
        do {
            _ = try LoggedState(StateLog(inheriting: files, logger: logger))
        } catch let error as StateLogError {
            #expect(!error.description.isEmpty, "seed \(seed)")
        }
    }

    @Test func `A state log of another format is refused`() throws {
        let first = try StateLog.create(logger: logger)
        let files = try filesAfterKill(of: first)
        try files[0].writeAll(toAbsoluteOffset: 0, [UInt8](repeating: 0x55, count: 8))
        #expect(throws: StateLogError("the log of the state was written by another version of tractfs")) {
            try StateLog(inheriting: files, logger: logger)
        }
    }

    @Test func `The state log stores single values, and numbers its servers`() throws {
        var log = try StateLog.create(rewriteByteCountMin: rewriteByteCountMin, logger: logger)
        log.setValue(of: .mountTime, [1, 2, 3])
        log.setValue(of: .mountTime, [4, 5])
        var ids: Set<UInt64> = []
        for number in 0..<UInt64(5) {
            #expect(log.serverNumber == number)
            #expect(log.value(of: .mountTime) == [4, 5])
            for _ in 0..<10 { #expect(ids.insert(log.makeID()).inserted, "no other server has had it") }
            log = try logAfterKill(of: log)
        }
    }

    @Test func `A state log without room is logged once, and can't be taken over`() throws {
        let lines = Mutex<[String]>([])
        let logger = Logger(label: "test") { _ in LineCollector { line in lines.withLock { $0.append(line) } } }
        let first = try StateLog.create(logger: logger)
        let files = try filesAfterKill(of: first)
        let log = try StateLog(inheriting: files, logger: logger)
        // F_ADD_SEALS, F_SEAL_GROW: has the effect of a full disk.
        for file in files { #expect(fcntl(file.rawValue, 1_033, 4) == 0) }
        let content = [UInt8](repeating: 1, count: 100_000)
        for id in 0..<40 { log.set(.openFile, id: UInt64(id), content.span.bytes) }
        #expect(log.isLost)
        #expect(lines.withLock { $0.count } == 1)
        log.set(.openFile, id: 1, content.span.bytes)
        #expect(throws: StateLogError.self) { try logAfterKill(of: log) }
    }
}

/// A log handler that collects the lines.
private struct LineCollector: LogHandler {
    let take: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(_ take: @escaping @Sendable (String) -> Void) {
        self.take = take
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        take("\(event.message)")
    }
}
