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
    let uri: S3URI
    /// The prefix as a directory: it ends in "/", unless it is the whole bucket.
    let root: Key
    let mountPoint: String
    let configuration: S3Configuration
    /// Where credentials are looked for; `nil` for unsigned requests.
    let credentials: CredentialsChain?
    let ownership: Ownership
    let allowsOthers: Bool
    let hasExtendedAttributes: Bool
    let hasPresignedURLAttribute: Bool
    let timeToLive: TimeToLive
    let readTimeout: Duration
    let memory: MemoryBudget
    /// `nil` where nothing is kept on the disk.
    let cache: CacheSettings?

    /// - Throws: What is wrong with the settings, in one line.
    init(_ command: MountCommand) throws {
        let store = try StoreSettings(uri: command.uri, command.store)
        (uri, root, credentials) = (store.uri, store.root, store.credentials)
        mountPoint = command.mountPoint
        memory = command.running.memoryBudget(connectionLimit: command.store.maxConnections)
        var configuration = store.configuration
        configuration.connectionLimit = memory.connectionLimit
        self.configuration = configuration
        let appearance = command.appearance
        ownership = Ownership(
            userID: appearance.uid ?? geteuid(), groupID: appearance.gid ?? getegid(),
            filePermissions: appearance.fileMode.bits, directoryPermissions: appearance.dirMode.bits)
        allowsOthers = appearance.allowOther
        hasExtendedAttributes = appearance.xattrs || appearance.presignXattr
        hasPresignedURLAttribute = appearance.presignXattr
        if appearance.presignXattr, configuration.customerKey != nil {
            throw Failure(
                "--presign-xattr: objects that are encrypted with your own key (--sse-c-key-file) can't be had by a URL alone; "
                    + "leave one of the two out")
        }
        timeToLive = command.running.metadataTtl.timeToLive
        readTimeout = command.store.readTimeout.duration
        cache = try command.cache.settings(environment: Environment.variables())
    }
}
