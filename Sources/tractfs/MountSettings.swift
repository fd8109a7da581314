import FileSystem
import FuseBridge
import Glibc
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
    let inodeBits: InodeBits
    let hasExtendedAttributes: Bool
    let hasPresignedURLAttribute: Bool
    let timeToLive: TimeToLive
    let readTimeout: Duration
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
    /// Throws where an option is for whoever mounts.
    fileprivate func checkSuit(handedDevice path: String) throws {
        if overlay != nil {
            throw Failure(
                "--overlay: \(path) is mounted by another program, and can't get an overlay; name an empty folder")
        }
        if noexec {
            throw Failure("--noexec: \(path) is mounted by another program; have that mount it with noexec instead")
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
            filePermissions: fileMode?.bits ?? (overlay == nil ? 0o444 : 0o644),
            directoryPermissions: dirMode?.bits ?? (overlay == nil ? 0o555 : 0o755))
    }
}
