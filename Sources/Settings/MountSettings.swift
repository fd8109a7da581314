package import FileSystem
import Glibc
package import Namespace
package import ObjectStore
package import S3Client
import SystemSupport

/// The settings of a mount: options and environment, checked and brought together.
///
/// A new option is declared in one of the groups of `MountCommand` (Settings/Options, `RunningOptions`), and checked
/// here if it depends on other settings. /etc/fstab and configuration files then accept it too.
package struct MountSettings {
    /// The bucket, and the way to make requests.
    package let store: StoreSettings
    package let mountPoint: String
    /// The folder for writes; `nil` for a read-only mount.
    package let overlay: String?
    package let ownership: Ownership
    package let allowsOthers: Bool
    package let forbidsExecution: Bool
    /// The SELinux contexts, by their names in the kernel.
    package let securityContexts: [(name: String, value: String)]
    package let inodeBits: InodeBits
    package let hasExtendedAttributes: Bool
    package let hasPresignedURLAttribute: Bool
    package let timeToLive: TimeToLive
    package let readTimeout: Duration
    /// The time to wait for a network that is still coming up.
    package let retry: Duration
    package let memory: MemoryBudget
    /// `nil` for no cache on the disk.
    package let cache: CacheSettings?

    /// Checks the options of a mount and brings them together.
    ///
    /// - Parameters:
    ///   - uri: The bucket, as the user gives it.
    ///   - mountPoint: The mount point, as the user gives it.
    ///   - isDeviceHanded: `true` if the mount point names a /dev/fuse that another program has mounted.
    ///   - hasSELinux: `true` if SELinux is enabled on this machine.
    /// - Throws: If the settings are wrong.
    package init(
        uri: String, mountPoint: String, store: StoreOptions, appearance: AppearanceOptions, cache: CacheOptions,
        memory: MemoryOptions, timeToLive: TimeToLive, retry: Duration, isDeviceHanded: Bool, hasSELinux: Bool,
        environment: [String: String]
    ) throws {
        self.memory = memory.budget(connectionLimit: store.maxConnections)
        self.store = try StoreSettings(
            uri, store, connectionLimit: self.memory.connectionLimit, environment: environment)
        self.mountPoint = mountPoint
        if isDeviceHanded { try appearance.checkSuit(handedDevice: mountPoint) }
        overlay = appearance.overlay.map { $0.isEmpty ? "" : AbsolutePath.of($0) }
        ownership = appearance.ownership
        allowsOthers = appearance.allowOther
        forbidsExecution = appearance.noexec
        securityContexts = try appearance.checkedSecurityContexts(hasSELinux: hasSELinux)
        inodeBits = appearance.inodeBits
        if inodeBits == .thirtyTwo, overlay != nil {
            throw Failure("--inode-bits 32: an overlay makes inode numbers of 64 bits; leave one of the two out")
        }
        hasExtendedAttributes = appearance.xattrs || appearance.presignXattr
        hasPresignedURLAttribute = appearance.presignXattr
        if appearance.presignXattr, self.store.configuration.customerKey != nil {
            throw Failure(
                "--presign-xattr: objects that are encrypted with your own key (--sse-c-key-file) can't be had by a URL alone; "
                    + "leave one of the two out")
        }
        if appearance.presignXattr, overlay != nil {
            throw Failure(
                "--presign-xattr: a file that is copied to the overlay would take its URL along; leave one of the two out"
            )
        }
        self.timeToLive = timeToLive
        readTimeout = store.readTimeout.duration
        self.retry = retry
        self.cache = try cache.settings(environment: environment)
    }

    /// A name that distinguishes this bucket or prefix from all others, for the folder of an overlay. It is the same
    /// with and without "/" at the end.
    package var bucketName: String {
        "s3://\(uri.bucket)/\(root)" + (configuration.endpoint.map { " at \($0)" } ?? "")
    }

    package var uri: S3URI { store.uri }
    package var configuration: S3Configuration { store.configuration }
    /// The sources of credentials; `nil` for unsigned requests.
    package var credentials: CredentialsChain? { store.credentials }
    /// The prefix as a directory.
    package var root: Key { store.uri.root }
}

extension AppearanceOptions {
    /// Returns the SELinux contexts; throws if the kernel would refuse them.
    fileprivate func checkedSecurityContexts(hasSELinux: Bool) throws(Failure) -> [(name: String, value: String)] {
        let contexts = securityContexts.given
        guard let first = contexts.first else { return [] }
        if !hasSELinux {
            throw Failure("--\(first.name): SELinux isn't enabled on this machine; leave the option out")
        }
        if geteuid() != 0 {
            throw Failure("--\(first.name) needs root, for fusermount3 takes no contexts; mount with sudo")
        }
        // The mount below an overlay, which commands use, would need them too.
        if overlay != nil { throw Failure("--\(first.name) is not possible with --overlay; leave one of the two out") }
        return contexts
    }

    /// Throws if an option is given that only the program that mounts can set.
    fileprivate func checkSuit(handedDevice path: String) throws(Failure) {
        if overlay != nil {
            throw Failure(
                "--overlay: \(path) is mounted by another program, and can't get an overlay; name an empty folder")
        }
        if noexec {
            throw Failure("--noexec: \(path) is mounted by another program; have that mount it with noexec instead")
        }
        if let context = securityContexts.given.first {
            throw Failure(
                "--\(context.name): \(path) is mounted by another program; have that mount it with the context instead")
        }
    }

    /// The owner and the permissions of files and folders. With an overlay, which accepts writes, the owner of its
    /// folder is the default.
    fileprivate var ownership: Ownership {
        var status = stat()
        let hasOwner = overlay.map { stat($0, &status) == 0 } ?? false
        return Ownership(
            userID: uid ?? (hasOwner ? status.st_uid : geteuid()),
            groupID: gid ?? (hasOwner ? status.st_gid : getegid()),
            filePermissions: fileMode?.bits ?? 0o644,
            directoryPermissions: dirMode?.bits ?? 0o755)
    }
}
