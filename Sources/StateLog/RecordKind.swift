/// What a record of the log is about.
///
/// The numbers are part of the log's format: a server of another version reads them. One that is taken out is not used again, and
/// a new one, or another meaning of one, makes another `StateFile.format`.
public enum RecordKind: UInt8, CaseIterable, Sendable {
    /// How many servers there have been before this one (`StateLog.serverNumber`).
    case serverNumber = 1
    /// When the mount began.
    case mountTime = 3
    /// Entries that inodes, or open directories, are of. Its id is the block's.
    case entryBlock = 4
    /// An inode that the kernel knows. Its id is the inode's.
    case inodeRow = 5
    /// Entries that an open directory has given. Its id is made of the listing's and the first entry's index.
    case listedRun = 6
    /// An open directory. Its id is the handle's number.
    case openDirectory = 7
    /// An open file. Its id is the handle's number.
    case openFile = 8
    /// A file that the kernel was lent. Its id is the inode's.
    case lentFile = 9
    /// An inode number of 32 bits that isn't the one which its name would have alone. Its id is the number of 62 bits.
    case shortNumber = 10

    /// Whether the log itself keeps what was told last, so that nobody need own it: there is one record, or a few.
    var isKeptByLog: Bool {
        switch self {
        case .serverNumber, .mountTime: true
        case .entryBlock, .inodeRow, .listedRun, .openDirectory, .openFile, .lentFile, .shortNumber: false
        }
    }
}
