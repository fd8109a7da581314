import Glibc
import SystemPackage
import SystemSupport

/// A path at which a configuration file may be.
package struct ConfigurationSource {
    package enum Owner {
        case user
        /// The administrator of the machine.
        case system
        /// The file that the user named: it must be there.
        case named
    }

    package enum Content {
        case text(String)
        case nothing
        /// The folder may not be searched by this user: the environment still names the home of another one.
        case closed
        /// There is a file that must not be used, for this reason; a mount goes on without it.
        case ignored(String)
    }

    let path: String
    let owner: Owner

    /// The path of the file for all users of a machine.
    package static let systemPath = "/etc/tractfs.toml"

    /// Returns the sources, the nearest first.
    ///
    /// - Parameters:
    ///   - named: The value of `--config`: the file to use instead of all others.
    ///   - environment: The variables. They may name a file as well (`TRACTFS_CONFIG`), and name the user's folders.
    ///   - systemFile: The path of the system's file.
    static func all(
        named: String?, environment: [String: String], systemFile: String = systemPath
    ) -> [ConfigurationSource] {
        if let named = named ?? environment[SettingsEnvironment.configuration], !named.isEmpty {
            return [ConfigurationSource(path: AbsolutePath.of(named), owner: .named)]
        }
        let user = userPath(environment).map { ConfigurationSource(path: $0, owner: .user) }
        return [user, ConfigurationSource(path: systemFile, owner: .system)].compactMap { $0 }
    }

    /// Returns the path of the XDG base directory specification, which ignores relative folders.
    private static func userPath(_ environment: [String: String]) -> String? {
        let file = "tractfs/config.toml"
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") { return "\(folder)/\(file)" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return "\(home)/.config/\(file)"
    }

    // MARK: Reading

    /// Far more than a file that is written by hand.
    private static let byteLimit = 64 << 10

    /// Reads the file. One that another user may have written is not used.
    ///
    /// - Parameter isRoot: `true` if this process is root's, whose files other users must not be able to write.
    /// - Throws: If the file can't be used.
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
