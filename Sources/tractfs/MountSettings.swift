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
    let mountPoint: String
    let configuration: S3Configuration
    /// Where credentials are looked for; `nil` for unsigned requests.
    let credentials: CredentialsChain?
    let ownership: Ownership
    let allowsOthers: Bool
    let hasExtendedAttributes: Bool
    let timeToLive: TimeToLive
    let readTimeout: Duration
    let memory: MemoryBudget
    /// `nil` where nothing is kept on the disk.
    let cache: CacheSettings?

    /// - Throws: What is wrong with the settings, in one line.
    init(_ command: MountCommand) throws {
        let environment = Environment.variables()
        let store = command.store
        uri = try S3URI(parsing: command.uri)
        mountPoint = command.mountPoint
        let shared = try SharedConfiguration(profile: store.profile, environment: environment)
        var configuration = try S3Configuration.resolve(
            bucket: uri.bucket,
            options: S3Options(
                endpointURL: store.endpointUrl, region: store.region, addressingStyle: store.addressingStyle,
                caBundle: store.caBundle, isRequesterPaying: store.requestPayer,
                expectedBucketOwner: store.expectedBucketOwner, customerKeyFile: store.sseCKeyFile),
            environment: environment, shared: shared)
        memory = command.running.memoryBudget(connectionLimit: store.maxConnections)
        configuration.connectionLimit = memory.connectionLimit
        configuration.userAgent = "tractfs/\(Tractfs.version)"
        configuration.caBundle = try configuration.caBundle.map(MountSettings.readableFile)
        self.configuration = configuration
        credentials =
            store.noSignRequest
            ? nil
            : CredentialsChain(environment: environment, profile: store.profile, caBundle: configuration.caBundle)
        let appearance = command.appearance
        ownership = Ownership(
            userID: appearance.uid ?? geteuid(), groupID: appearance.gid ?? getegid(),
            filePermissions: appearance.fileMode.bits, directoryPermissions: appearance.dirMode.bits)
        allowsOthers = appearance.allowOther
        hasExtendedAttributes = appearance.xattrs
        timeToLive = command.running.metadataTtl.timeToLive
        readTimeout = store.readTimeout.duration
        cache = try command.cache.settings(environment: environment)
    }

    /// The prefix as a directory: it ends in "/", unless it is the whole bucket.
    var root: Key {
        uri.prefix.bytes.isEmpty || uri.prefix.endsInDelimiter ? uri.prefix : uri.prefix.appending([Key.delimiter])
    }

    /// The path of a file that is there, so that it is found from anywhere.
    private static func readableFile(_ path: String) throws(Failure) -> String {
        let absolute = AbsolutePath.of(path)
        guard access(absolute, R_OK) == 0 else {
            throw Failure(
                "can't read the certificates in \(path): \(String(cString: strerror(errno))); give --ca-bundle a PEM file"
            )
        }
        return absolute
    }
}
