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

    /// Adds `byteCount`, which is negative for what has been removed or was not written after all.
    func add(_ byteCount: Int) {
        // What gets lost here, because the disk fails, the next count finds.
        _ = try? change { $0.add(byteCount) }
    }

    /// Where a count begins, for `correct`.
    func beginCount() -> Account? {
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
            let before = (begin ?? account).added
            // Less than before: somebody has removed the file meanwhile, or written to it.
            let added = account.added >= before ? account.added - before : account.added
            account.byteCount = min(counted + Int(min(added, UInt64(DiskUsage.unknown))), DiskUsage.unknown)
        }
    }

    /// What stands in the file.
    struct Account: Equatable {
        /// What everything takes, in bytes.
        var byteCount: Int
        /// All bytes that were ever added, whether or not they were taken off again.
        var added: UInt64

        /// The account that `words` are.
        init(_ words: [UInt64]) {
            byteCount = Int(exactly: words.first ?? .max) ?? DiskUsage.unknown
            byteCount = min(byteCount, DiskUsage.unknown)
            added = words.dropFirst().first ?? 0
        }

        mutating func add(_ byteCount: Int) {
            self.byteCount = max(self.byteCount + byteCount, 0)
            if byteCount > 0 { added &+= UInt64(byteCount) }
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
            var account = Account(IndexHeader.words(try file.read(16, at: 0)))
            let before = account
            body(&account)
            if account != before { try file.write([UInt64(account.byteCount), account.added], at: 0) }
            return account
        }
    }

    private func openFile(_ current: LocalFile?) throws(Errno) -> LocalFile {
        // Somebody may have removed it, and others may have made a new one.
        if let current, try current.status().linkCount > 0 { return current }
        return try LocalFile(DiskUsage.fileName, in: root, O_RDWR | O_CREAT)
    }
}
