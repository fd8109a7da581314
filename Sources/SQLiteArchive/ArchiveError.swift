import GRDB
public import struct SystemPackage.Errno

/// Why the database of listings can't be used.
public enum ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process doesn't let go of it.
    case busy
    /// The disk doesn't do what is asked of it.
    case disk(Errno)
    /// It isn't one of ours, or not any more.
    case unusable(String)

    /// What SQLite's result code means here (sqlite.org/rescode.html).
    init(_ error: DatabaseError) {
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL, .SQLITE_INTERRUPT: self = .busy
        case .SQLITE_FULL: self = .disk(.noSpace)
        case .SQLITE_READONLY: self = .disk(.readOnlyFileSystem)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: self = .disk(.permissionDenied)
        case .SQLITE_NOMEM: self = .disk(.noMemory)
        // A file that somebody has cut off is no trouble of the disk's.
        case .SQLITE_IOERR where error.extendedResultCode != .SQLITE_IOERR_SHORT_READ: self = .disk(.ioError)
        default: self = .unusable(error.message ?? "\(error.resultCode)")
        }
    }

    /// What is wrong, for a person, without a full stop.
    public var description: String {
        switch self {
        case .busy: "another process has locked it"
        case .disk(let errno): "\(errno)"
        case .unusable(let what): what
        }
    }

    /// Calls `body`, which talks to SQLite.
    static func rethrown<R>(_ body: () throws -> R) throws(ArchiveError) -> R {
        do {
            return try body()
        } catch let error as DatabaseError {
            throw ArchiveError(error)
        } catch let error as ArchiveError {
            throw error
        } catch {
            throw .unusable("\(error)")
        }
    }
}
