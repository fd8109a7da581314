import Glibc
import Synchronization
import struct SystemPackage.Errno

/// The disk usage of a cache, in a file that all processes share.
///
/// Bytes are added before they are written and subtracted after they have been removed: a process that is killed in
/// between leaves a number that is too big, never one that is too small. A count of all files corrects it; every
/// process counts at its start and before it evicts.
final class DiskUsage: Sendable {
    /// Stands for a number that can't be read: more than any limit, so that the next step is a count.
    private static let unknown = Int.max / 4

    /// The lock timeout. The lock is held for two small system calls.
    private static let lockTimeout: Duration = .seconds(1)

    private static let fileName = "usage"

    private let root: LocalFile
    /// Opened on demand: inspecting a directory creates no file.
    private let file = Mutex<LocalFile?>(nil)

    /// Creates the usage record of the cache in `root`.
    init(in root: LocalFile) {
        self.root = root
    }

    /// The disk usage of the file itself.
    var allocatedByteCount: Int {
        file.withLock { (try? $0?.status())?.allocatedByteCount ?? 0 }
    }

    /// The disk usage of the whole cache, in bytes.
    var byteCount: Int {
        (try? change { _ in }.byteCount) ?? DiskUsage.unknown
    }

    /// Returns `true` if the file exists; every cache that was ever mounted has one.
    func isMade() throws(Errno) -> Bool {
        try root.status(of: DiskUsage.fileName)?.isRegularFile ?? false
    }

    /// `true` if the usage has ever been counted.
    var isKnown: Bool { byteCount < DiskUsage.unknown }

    /// Adds `byteCount` unless the sum would exceed `limit`.
    func reserve(_ byteCount: Int, limit: Int) throws(Errno) -> Bool {
        var isReserved = false
        try change { account in
            isReserved = account.byteCount + byteCount <= limit
            if isReserved { account.add(byteCount) }
        }
        return isReserved
    }

    /// Adds the size of new files.
    func add(_ byteCount: Int) {
        // If the disk fails, the next count corrects the number.
        _ = try? change { $0.add(byteCount) }
    }

    /// Subtracts the size of files that were removed, or not written after all, unless a count happened meanwhile: it
    /// may already have seen them gone, and the size must not be subtracted twice.
    ///
    /// - Parameter begin: The account before the removal.
    func takeOff(_ byteCount: Int, since begin: Account?) {
        _ = try? change { account in
            guard account.countNumber == begin?.countNumber else { return }
            account.byteCount = max(account.byteCount - byteCount, 0)
        }
    }

    /// The account in the file, for `correct` and `takeOff`; `nil` if it can't be read.
    var account: Account? {
        try? change { _ in }
    }

    /// Corrects the number.
    ///
    /// - Parameters:
    ///   - counted: The counted disk usage.
    ///   - begin: The account before the count. Bytes added meanwhile may or may not have been counted; they are taken
    ///     as not counted. The count may miss bytes that a process was just writing when it began, which is why batches
    ///     are small.
    func correct(counted: Int, since begin: Account?) {
        _ = try? change { account in
            let added = Int(truncatingIfNeeded: account.added &- (begin ?? account).added)
            // A negative or absurd difference means that the file was replaced meanwhile.
            account.byteCount = counted + (0..<DiskUsage.unknown ~= added ? added : 0)
            account.countNumber &+= 1
        }
    }

    /// The contents of the file.
    struct Account: Equatable {
        /// The total disk usage, in bytes.
        var byteCount: Int
        /// All bytes ever added, including those subtracted again.
        var added: UInt64

        /// The number of counts.
        var countNumber: UInt64

        /// Decodes an account from `words`.
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

    /// Changes the account under the file's lock.
    ///
    /// - Returns: The new account.
    @discardableResult
    private func change(_ body: (inout Account) -> Void) throws(Errno) -> Account {
        try file.withLock { current throws(Errno) in
            let file = try openFile(current)
            current = file
            guard file.lock(.exclusive, timeout: DiskUsage.lockTimeout) else {
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
        // The file may have been removed, and another process may have created a new one.
        if let current, try current.status().linkCount > 0 { return current }
        return try LocalFile(DiskUsage.fileName, in: root, O_RDWR | O_CREAT)
    }
}
