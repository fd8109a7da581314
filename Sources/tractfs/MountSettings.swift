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
    let ownership: Ownership
    let allowsOthers: Bool
    let forbidsExecution: Bool
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
        let appearance = command.appearance
        ownership = Ownership(
            userID: appearance.uid ?? geteuid(), groupID: appearance.gid ?? getegid(),
            filePermissions: appearance.fileMode.bits, directoryPermissions: appearance.dirMode.bits)
        allowsOthers = appearance.allowOther
        forbidsExecution = appearance.noexec
        hasExtendedAttributes = appearance.xattrs || appearance.presignXattr
        hasPresignedURLAttribute = appearance.presignXattr
        if appearance.presignXattr, store.configuration.customerKey != nil {
            throw Failure(
                "--presign-xattr: objects that are encrypted with your own key (--sse-c-key-file) can't be had by a URL alone; "
                    + "leave one of the two out")
        }
        timeToLive = command.running.metadataTtl.timeToLive
        readTimeout = command.store.readTimeout.duration
        cache = try command.cache.settings(environment: environment)
    }

    var uri: S3URI { store.uri }
    var configuration: S3Configuration { store.configuration }
    /// Where credentials are looked for; `nil` for unsigned requests.
    var credentials: CredentialsChain? { store.credentials }
    /// The prefix as a directory.
    var root: Key { store.uri.root }
}
