import GRDB
public import struct SystemPackage.Errno

/// A reason that the database of listings can't be used.
public enum ArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another process holds the lock for too long.
    case busy
    /// A disk operation failed.
    case disk(Errno)
    /// The file isn't ours, or is corrupt.
    case unusable(String)

    /// Translates SQLite's result code (sqlite.org/rescode.html).
    init(_ error: DatabaseError) {
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL, .SQLITE_INTERRUPT: self = .busy
        case .SQLITE_FULL: self = .disk(.noSpace)
        case .SQLITE_READONLY: self = .disk(.readOnlyFileSystem)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: self = .disk(.permissionDenied)
        case .SQLITE_NOMEM: self = .disk(.noMemory)
        // A truncated file is not a disk failure.
        case .SQLITE_IOERR where error.extendedResultCode != .SQLITE_IOERR_SHORT_READ: self = .disk(.ioError)
        default: self = .unusable(error.message ?? "\(error.resultCode)")
        }
    }

    /// The fault in words for users, without a period.
    public var description: String {
        switch self {
        case .busy: "another process has locked it"
        case .disk(let errno): "\(errno)"
        case .unusable(let what): what
        }
    }

    /// Calls `body`, which uses SQLite, and translates its errors.
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
