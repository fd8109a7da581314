import Glibc
import Synchronization
import struct SystemPackage.Errno

/// How many bytes a cache takes on the disk, in a file that all processes share.
///
/// Bytes are added before they are written and taken off after they have been removed: whoever is killed between leaves a
/// number that is too big, never one that is too small. A count of everything, which every process makes at its
/// start and before it evicts, sets it right.
final class DiskUsage: Sendable {
    /// What stands in the file, each as 8 bytes.
    private struct Numbers: Equatable {
        /// How many bytes everything takes.
        var used: Int
        /// How many bytes were ever added. Tells a count what came while it was under way, also if as much went.
        var added: UInt64
        /// How many counts there were.
        var countNumber: UInt64

        /// How many bytes of the file they are.
        static let byteCount = 24

        init(_ bytes: [UInt8]) {
            let words = IndexHeader.words(bytes)
            let isWhole = words.count == 3 && words[0] <= UInt64(DiskUsage.unknown)
            (used, added, countNumber) = isWhole ? (Int(words[0]), words[1], words[2]) : (DiskUsage.unknown, 0, 0)
        }

        var bytes: [UInt8] {
            [UInt64(used), added, countNumber].flatMap(IndexHeader.bytes)
        }

        mutating func add(_ byteCount: Int) {
            used = min(used + byteCount, DiskUsage.unknown)
            added &+= UInt64(byteCount)
        }
    }

    /// Stands for a number that can't be read: more than any limit, so that the next thing that happens is a count.
    private static let unknown = Int.max / 4

    /// The lock is held for two small system calls.
    private static let patience: Duration = .seconds(1)

    private static let fileName = "usage"

    private let root: LocalFile
    private let file: Mutex<LocalFile>

    /// The number of the cache in `root`.
    init(in root: LocalFile) throws(Errno) {
        self.root = root
        file = Mutex(try DiskUsage.open(in: root))
    }

    private static func open(in root: LocalFile) throws(Errno) -> LocalFile {
        do throws(Errno) {
            return try LocalFile(fileName, in: root, O_RDWR | O_CREAT)
        } catch .readOnlyFileSystem {
            // Nothing will be written, so the number is of no use; any open file will do.
            return try LocalFile(".", in: root, O_RDONLY | O_DIRECTORY)
        }
    }

    /// What the file itself takes.
    var allocatedByteCount: Int {
        file.withLock { (try? $0.status())?.allocatedByteCount ?? 0 }
    }

    /// How many bytes everything takes.
    var byteCount: Int {
        (try? change { _ in })?.used ?? DiskUsage.unknown
    }

    /// Adds `byteCount`, unless it would be more than `limit` then.
    func reserve(_ byteCount: Int, limit: Int) throws(Errno) -> Bool {
        var isReserved = false
        try change { numbers in
            isReserved = numbers.used + byteCount <= limit
            if isReserved { numbers.add(byteCount) }
        }
        return isReserved
    }

    /// Adds what has just been made.
    func add(_ byteCount: Int) {
        // What gets lost here, because the disk fails, the next count finds.
        _ = try? change { $0.add(byteCount) }
    }

    /// How many counts there were. To be asked before anything is removed that will be taken off.
    var countNumber: UInt64 {
        (try? change { _ in })?.countNumber ?? 0
    }

    /// Takes off what has been removed, or was not written after all, unless somebody has counted since, who may have found
    /// it gone already: taken off twice, it would be in nobody's number.
    func takeOff(_ byteCount: Int, ifNotCountedSince countNumber: UInt64) {
        _ = try? change { numbers in
            if numbers.countNumber == countNumber { numbers.used = max(numbers.used - byteCount, 0) }
        }
    }

    /// Sets the number right.
    ///
    /// What was added while `count` was under way may or may not have been counted, and is added to be on the safe side.
    /// What was removed meanwhile isn't taken off, since it may not have been counted either.
    ///
    /// - Parameter count: Finds out what everything takes.
    func correct<Failure>(_ count: () throws(Failure) -> Int) throws(Failure) {
        let before = try? change { _ in }
        let counted = try count()
        _ = try? change { numbers in
            let added = Int(truncatingIfNeeded: numbers.added &- (before ?? numbers).added)
            // Anything else is the number of another file, which somebody put in place of the first one.
            let isPlausible = added >= 0 && added < DiskUsage.unknown
            numbers.used = counted + (isPlausible ? added : 0)
            numbers.countNumber &+= 1
        }
    }

    /// Changes the numbers, alone.
    ///
    /// - Returns: What they are then.
    @discardableResult
    private func change(_ body: (inout Numbers) -> Void) throws(Errno) -> Numbers {
        try file.withLock { file throws(Errno) in
            if try file.status().linkCount == 0 {
                // Somebody has removed it, and others may have made a new one.
                file = try DiskUsage.open(in: root)
            }
            guard file.lock(.exclusive, patience: DiskUsage.patience) else {
                throw Errno.resourceTemporarilyUnavailable
            }
            defer { file.unlock() }
            var numbers = Numbers(try file.read(Numbers.byteCount, at: 0))
            let before = numbers
            body(&numbers)
            if numbers != before { try file.write(numbers.bytes, at: 0) }
            return numbers
        }
    }
}
