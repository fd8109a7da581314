import Glibc
import SystemPackage
import SystemSupport

/// A place where a configuration file may be.
struct ConfigurationPlace {
    enum Owner {
        /// The user's.
        case user
        /// The machine's administrator's.
        case system
        /// The one that the user named: it must be there.
        case named
    }

    let path: String
    let owner: Owner

    enum Content {
        case text(String)
        case nothing
        /// It is in a folder that this user may not look into: the home of somebody else, whom the environment still tells of.
        case closed
        /// There is a file, but one that must not be obeyed, for this reason; it is a mere convenience.
        case ignored(String)
    }

    /// Far more than anybody writes by hand.
    private static let byteLimit = 64 << 10

    /// What is there. A file that somebody else may have written is not obeyed.
    ///
    /// - Parameter isRoot: Whether this process is root's, whose files other users must not write.
    /// - Throws: Why the file can't be used.
    func content(isRoot: Bool) throws(Failure) -> Content {
        if owner == .user, isClosed { return .closed }
        guard let (status, bytes) = try read() else { return .nothing }
        if status.isRegular, status.st_mode & S_IWOTH != 0 {
            throw Failure("\(path) may be written by everybody, and so isn't used; change that with: chmod o-w \(path)")
        }
        if isRoot, owner != .named, status.isWritableByOthersThanRoot {
            let message = "\(path) may be written by others than root, and so isn't used for root"
            guard owner == .user else {
                throw Failure("\(message); change that with: chown root \(path); chmod go-w \(path)")
            }
            return .ignored("\(message); give --config \(path) to use it all the same")
        }
        if bytes.count > Self.byteLimit { throw Failure("\(path) has more than 64KiB: is it a configuration file?") }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure("\(path) is not in UTF-8; save it as UTF-8")
        }
        return .text(text)
    }

    private var isClosed: Bool {
        var status = stat()
        return stat(path, &status) != 0 && errno == EACCES
    }

    private func read() throws(Failure) -> (stat, [UInt8])? {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            return try file.closeAfter {
                var status = stat()
                guard fstat(file.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
                return (status, try file.readToEnd(limit: Self.byteLimit + 1))
            }
        } catch {
            let isMissing = [.noSuchFileOrDirectory, .notDirectory].contains(error as? Errno)
            if isMissing, owner != .named { return nil }
            throw Failure("the configuration file \(path) can't be read: \(error)")
        }
    }
}

extension stat {
    fileprivate var isRegular: Bool { st_mode & S_IFMT == S_IFREG }

    fileprivate var isWritableByOthersThanRoot: Bool {
        st_uid != 0 || (st_gid != 0 && st_mode & S_IWGRP != 0)
    }
}
