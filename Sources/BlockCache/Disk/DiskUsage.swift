import Glibc
import Synchronization
import struct SystemPackage.Errno

/// How many bytes a cache takes on the disk, in a file that all processes share.
///
/// Bytes are added before they are written and taken off after they have been removed: whoever is killed between leaves a
/// number that is too big, never one that is too small. A count of everything, which every process makes at its
/// start and before it evicts, sets it right.
final class DiskUsage: Sendable {
    /// Stands for a number that can't be read: more than any limit, so that the next thing that happens is a count.
    private static let unknown = Int.max / 4

    /// The lock is held for two small system calls.
    private static let patience: Duration = .seconds(1)

    private static let fileName = "usage"

    private let root: LocalFile
    /// Opened when it is needed: nothing is made in a directory that is only looked at.
    private let file = Mutex<LocalFile?>(nil)

    /// The number of the cache in `root`.
    init(in root: LocalFile) {
        self.root = root
    }

    /// What the file itself takes.
    var allocatedByteCount: Int {
        file.withLock { (try? $0?.status())?.allocatedByteCount ?? 0 }
    }

    /// How many bytes everything takes.
    var byteCount: Int {
        (try? change { _ in }) ?? DiskUsage.unknown
    }

    /// Whether the file is there; every cache that was ever mounted has one.
    func isMade() throws(Errno) -> Bool {
        try root.status(of: DiskUsage.fileName)?.isRegularFile ?? false
    }

    /// Whether anybody has ever counted.
    var isKnown: Bool { byteCount < DiskUsage.unknown }

    /// Adds `byteCount`, unless it would be more than `limit` then.
    func reserve(_ byteCount: Int, limit: Int) throws(Errno) -> Bool {
        var isReserved = false
        try change { number in
            isReserved = number + byteCount <= limit
            if isReserved { number += byteCount }
        }
        return isReserved
    }

    /// Adds `byteCount`, which is negative for what has been removed or was not written after all.
    func add(_ byteCount: Int) {
        // What gets lost here, because the disk fails, the next count finds.
        _ = try? change { $0 = max($0 + byteCount, 0) }
    }

    /// Sets the number right.
    ///
    /// - Parameters:
    ///   - counted: What everything was found to take.
    ///   - before: The number before the count. What was added meanwhile may or may not have been counted.
    func correct(counted: Int, before: Int) {
        _ = try? change { number in
            let added = number < DiskUsage.unknown / 2 && before < DiskUsage.unknown / 2 ? max(number - before, 0) : 0
            number = counted + added
        }
    }

    /// Changes the number, alone.
    ///
    /// - Returns: What it is then.
    @discardableResult
    private func change(_ body: (inout Int) -> Void) throws(Errno) -> Int {
        try file.withLock { current throws(Errno) in
            let file = try openFile(current)
            current = file
            guard file.lock(.exclusive, patience: DiskUsage.patience) else {
                throw Errno.resourceTemporarilyUnavailable
            }
            defer { file.unlock() }
            let old = IndexHeader.words(try file.read(8, at: 0)).first.map { Int(truncatingIfNeeded: $0) }
            var number = old ?? DiskUsage.unknown
            if number < 0 || number > DiskUsage.unknown { number = DiskUsage.unknown }
            let before = number
            body(&number)
            if number != before { try file.write(IndexHeader.bytes(UInt64(number)), at: 0) }
            return number
        }
    }

    private func openFile(_ current: LocalFile?) throws(Errno) -> LocalFile {
        // Somebody may have removed it, and others may have made a new one.
        if let current, try current.status().linkCount > 0 { return current }
        return try LocalFile(DiskUsage.fileName, in: root, O_RDWR | O_CREAT)
    }
}
