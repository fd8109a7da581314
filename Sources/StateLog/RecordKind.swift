/// The kind of state in a record of the log.
///
/// The numbers are part of the log's format: servers of other versions read them. A removed number is not reused. A new
/// number, or a new meaning of one, requires another `StateFile.format`.
public enum RecordKind: UInt8, CaseIterable, Sendable {
    /// The number of servers before this one (`StateLog.serverNumber`).
    case serverNumber = 1
    /// The time of the mount.
    case mountTime = 3
    /// A block of entries that inodes or open directories refer to. The id is the block's.
    case entryBlock = 4
    /// An inode that the kernel knows. The id is the inode's.
    case inodeRow = 5
    /// Entries that an open directory has returned. The id combines the listing's id and the index of the first entry.
    case listedRun = 6
    /// An open directory. The id is the handle's number.
    case openDirectory = 7
    /// An open file. The id is the handle's number.
    case openFile = 8
    /// A backing file registered with the kernel. The id is the inode's.
    case backingFile = 9
    /// The fact that the store lists in no order, once that is known.
    case unorderedStore = 10
    /// An inode number of 32 bits that differs from the one which its name would have alone. The id is the number of 62
    /// bits.
    case shortNumber = 11

    /// The bit of the kind in a set of kinds.
    var bit: UInt64 { 1 << UInt64(rawValue) }

    /// `true` if the log itself stores the last value, so that the kind needs no owner: there are only one or a few
    /// records.
    var isSingleValue: Bool {
        switch self {
        case .serverNumber, .mountTime, .unorderedStore: true
        case .entryBlock, .inodeRow, .listedRun, .openDirectory, .openFile, .backingFile, .shortNumber: false
        }
    }
}
