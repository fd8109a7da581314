import FileSystem
import Glibc
import Mounting
import Namespace
import ObjectStore
import Reader
import S3Client
import SystemSupport

/// What a mount is made from: the command line and the environment, checked and brought together.
struct MountSettings {
    /// What is mounted, and how it is asked.
    let store: StoreSettings
    let mountPoint: String
    /// The /dev/fuse that another program has mounted, if that is what the mount point names.
    let handedDevice: HandedDevice?
    /// The folder for what is written; `nil` for a mount that is only read.
    let overlay: String?
    let ownership: Ownership
    let allowsOthers: Bool
    let forbidsExecution: Bool
    /// SELinux contexts, by the kernel's names.
    let securityContexts: [(name: String, value: String)]
    let inodeBits: InodeBits
    let hasExtendedAttributes: Bool
    let hasPresignedURLAttribute: Bool
    let timeToLive: TimeToLive
    let readTimeout: Duration
    /// The time to wait for a network that is still coming up.
    let retry: Duration
    let memory: MemoryBudget
    /// `nil` where nothing is kept on the disk.
    let cache: CacheSettings?

    /// - Throws: What is wrong with the settings, in one line.
    init(_ command: MountCommand) throws {
        let environment = Environment.variables()
        memory = command.running.memory.budget(connectionLimit: command.store.maxConnections)
        store = try StoreSettings(
            command.uri, command.store, connectionLimit: memory.connectionLimit, environment: environment)
        mountPoint = command.mountPoint
        handedDevice = HandedDevice(mountPoint: mountPoint)
        let appearance = command.appearance
        if handedDevice != nil { try appearance.checkSuit(handedDevice: mountPoint) }
        overlay = appearance.overlay.map { $0.isEmpty ? "" : AbsolutePath.of($0) }
        ownership = appearance.ownership
        allowsOthers = appearance.allowOther
        forbidsExecution = appearance.noexec
        securityContexts = try appearance.checkedSecurityContexts()
        inodeBits = appearance.inodeBits
        if inodeBits == .thirtyTwo, overlay != nil {
            throw Failure("--inode-bits 32: an overlay makes inode numbers of 64 bits; leave one of the two out")
        }
        hasExtendedAttributes = appearance.xattrs || appearance.presignXattr
        hasPresignedURLAttribute = appearance.presignXattr
        if appearance.presignXattr, store.configuration.customerKey != nil {
            throw Failure(
                "--presign-xattr: objects that are encrypted with your own key (--sse-c-key-file) can't be had by a URL alone; "
                    + "leave one of the two out")
        }
        if appearance.presignXattr, overlay != nil {
            throw Failure(
                "--presign-xattr: a file that is copied to the overlay would take its URL along; leave one of the two out"
            )
        }
        timeToLive = command.running.metadataTtl.timeToLive
        readTimeout = command.store.readTimeout.duration
        retry = command.running.retry.duration
        cache = try command.cache.settings(environment: environment)
    }

    /// What tells the bucket from others, for who keeps what was written to it.
    var bucketName: String {
        // The same folder, whether its name was given with a "/" at the end or without.
        "s3://\(uri.bucket)/\(root)" + (configuration.endpoint.map { " at \($0)" } ?? "")
    }

    /// Whose an overlay's topmost folder is. Overlayfs looks into the mount with the rights of who mounts, so other users are kept out
    /// there, unless the mount is for them too.
    var overlayOwner: OverlayFolder.Owner {
        OverlayFolder.Owner(
            userID: ownership.userID, groupID: ownership.groupID,
            permissions: ownership.directoryPermissions & (allowsOthers ? 0o777 : 0o700))
    }

    var uri: S3URI { store.uri }
    var configuration: S3Configuration { store.configuration }
    /// Where credentials are looked for; `nil` for unsigned requests.
    var credentials: CredentialsChain? { store.credentials }
    /// The prefix as a directory.
    var root: Key { store.uri.root }
}

extension AppearanceOptions {
    /// The SELinux contexts, if the kernel would take them.
    fileprivate func checkedSecurityContexts() throws(Failure) -> [(name: String, value: String)] {
        let contexts = securityContexts.given
        guard let first = contexts.first else { return [] }
        if !FuseReadiness.hasSELinux {
            throw Failure("--\(first.name): SELinux isn't enabled on this machine; leave the option out")
        }
        if geteuid() != 0 {
            throw Failure("--\(first.name) needs root, for fusermount3 takes no contexts; mount with sudo")
        }
        // The commands' way below an overlay would have to give them again.
        if overlay != nil { throw Failure("--\(first.name) is not possible with --overlay; leave one of the two out") }
        return contexts
    }

    /// Throws where an option is for whoever mounts.
    fileprivate func checkSuit(handedDevice path: String) throws {
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

    /// Whose files and folders are. In an overlay they are there to be written: to whom its folder belongs, unless somebody else is
    /// named.
    var ownership: Ownership {
        var status = stat()
        let hasOwner = overlay.map { stat($0, &status) == 0 } ?? false
        return Ownership(
            userID: uid ?? (hasOwner ? status.st_uid : geteuid()),
            groupID: gid ?? (hasOwner ? status.st_gid : getegid()),
            filePermissions: fileMode?.bits ?? 0o644,
            directoryPermissions: dirMode?.bits ?? 0o755)
    }
}
