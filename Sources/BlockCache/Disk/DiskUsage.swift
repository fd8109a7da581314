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
        (try? change { _ in }.byteCount) ?? DiskUsage.unknown
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
        try change { account in
            isReserved = account.byteCount + byteCount <= limit
            if isReserved { account.add(byteCount) }
        }
        return isReserved
    }

    /// Adds what has been made.
    func add(_ byteCount: Int) {
        // What gets lost here, because the disk fails, the next count finds.
        _ = try? change { $0.add(byteCount) }
    }

    /// Takes off what has been removed, or was not written after all, unless there was a count meanwhile: it may have found
    /// that gone, and taken off once more it would be missing from the number.
    ///
    /// - Parameter begin: The account before the removal.
    func takeOff(_ byteCount: Int, since begin: Account?) {
        _ = try? change { account in
            guard account.countNumber == begin?.countNumber else { return }
            account.byteCount = max(account.byteCount - byteCount, 0)
        }
    }

    /// What stands in the file, for `correct` and `takeOff`; `nil` if that can't be read.
    var account: Account? {
        try? change { _ in }
    }

    /// Sets the number right.
    ///
    /// - Parameters:
    ///   - counted: What everything was found to take.
    ///   - begin: The account before the count. What was added meanwhile may or may not have been counted, and is taken not
    ///     to have been; what a process was just writing when the count began may be missed, which is why it is little.
    func correct(counted: Int, since begin: Account?) {
        _ = try? change { account in
            let added = Int(truncatingIfNeeded: account.added &- (begin ?? account).added)
            // Less than nothing, or more than any disk, is the difference to a file that somebody has put there meanwhile.
            account.byteCount = counted + (0..<DiskUsage.unknown ~= added ? added : 0)
            account.countNumber &+= 1
        }
    }

    /// What stands in the file.
    struct Account: Equatable {
        /// What everything takes, in bytes.
        var byteCount: Int
        /// All bytes that were ever added, whether or not they were taken off again.
        var added: UInt64

        /// How many counts there were.
        var countNumber: UInt64

        /// The account that `words` are.
        init(_ words: [UInt64]) {
            byteCount = Int(exactly: words.first ?? .max) ?? DiskUsage.unknown
            byteCount = min(byteCount, DiskUsage.unknown)
            added = words.dropFirst().first ?? 0
            countNumber = words.dropFirst(2).first ?? 0
        }

        mutating func add(_ byteCount: Int) {
            self.byteCount += byteCount
            added &+= UInt64(byteCount)
        }
    }

    /// Changes the account, alone.
    ///
    /// - Returns: What it is then.
    @discardableResult
    private func change(_ body: (inout Account) -> Void) throws(Errno) -> Account {
        try file.withLock { current throws(Errno) in
            let file = try openFile(current)
            current = file
            guard file.lock(.exclusive, patience: DiskUsage.patience) else {
                throw Errno.resourceTemporarilyUnavailable
            }
            defer { file.unlock() }
            var account = Account(IndexHeader.words(try file.read(24, at: 0)))
            let before = account
            body(&account)
            if account != before {
                try file.write([UInt64(account.byteCount), account.added, account.countNumber], at: 0)
            }
            return account
        }
    }

    private func openFile(_ current: LocalFile?) throws(Errno) -> LocalFile {
        // Somebody may have removed it, and others may have made a new one.
        if let current, try current.status().linkCount > 0 { return current }
        return try LocalFile(DiskUsage.fileName, in: root, O_RDWR | O_CREAT)
    }
}
