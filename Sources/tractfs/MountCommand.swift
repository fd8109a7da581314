public import ArgumentParser
import FuseBridge
import Logging
import Mounting
public import S3Client
import Supervision
import SystemSupport

/// `tractfs mount`: the arguments, and which way the mount is started.
struct MountCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Mount a bucket, or a prefix of one, read-only.",
        discussion: """
            Returns when the mount answers; if it can't, one line says why and nothing is left mounted. The keys come from \
            wherever the AWS CLI finds them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile in ~/.aws (with keys, a \
            role, single sign-on or a program), a web identity, the container or the EC2 machine. They need no more than the \
            rights to list the prefix and to get its objects.

            Options can be set for good in files and in the environment: see "tractfs help config".
            """)

    @Argument(help: ArgumentHelp("What to mount.", valueName: "s3://BUCKET[/PREFIX]"), completion: .bucket)
    var uri: String

    @Argument(
        help: "An empty folder to mount on, or /dev/fd/N for a /dev/fuse that another program has mounted.",
        completion: .directory)
    var mountPoint: String

    @OptionGroup(title: "Where the bucket is")
    var store: StoreOptions

    @OptionGroup(title: "How the mount looks")
    var appearance: AppearanceOptions

    @OptionGroup(title: "What is kept on the local disk")
    var cache: CacheOptions

    @OptionGroup(title: "How the mount runs")
    var running: RunningOptions

    @OptionGroup(title: "Where options are set")
    var files: ConfigurationOptions

    func validate() throws {
        if mountPoint.hasPrefix("s3:"), !uri.hasPrefix("s3:") {
            throw ValidationError("the bucket comes first: tractfs mount \(mountPoint) \(uri)")
        }
    }

    /// - Parameter arguments: The complete command line, which all processes of the mount are started with.
    func run(as arguments: [String]) throws {
        let environment = Environment.variables()
        guard let context = try ChildContext.take(from: environment) else {
            // Reports wrong settings before any process is started.
            let device = try MountSettings(self).handedDevice?.take()
            if running.foreground { return try supervise(nil, arguments, device) }
            return try BackgroundStart.run(
                arguments, environment: environment, workingDirectory: AbsolutePath.of("."), device: device,
                notice: StandardError.tell)
        }
        switch context.role {
        case .supervisor: try supervise(context, arguments, context.device)
        case .upgradedSupervisor: try supervise(context, arguments, nil)
        case .server, .successor, .trial: serve(context)
        }
    }
}

/// Where the bucket is and how it is asked; the names are the AWS CLI's where it has one.
struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The S3 service's URL, for one that isn't AWS's.", valueName: "url"))
    var endpointUrl: String?

    @Option(help: "The bucket's region; found out if it is another one.")
    var region: String?

    @Option(help: "A profile of ~/.aws/credentials and ~/.aws/config.", completion: .profiles)
    var profile: String?

    @Flag(inversion: .prefixedNo, help: "Sign requests, or don't, for buckets that are open to all.")
    var signRequest = true

    @Flag(inversion: .prefixedNo, help: "Agree to pay for the requests, for buckets whose owners don't.")
    var requestPayer = false

    @Flag(
        inversion: .prefixedNo,
        help: "Expect listings in any order: each folder is listed to its end before it is shown.")
    var unorderedListings = false

    @Option(
        help: ArgumentHelp(
            "Read only if the bucket belongs to this account (twelve digits).", valueName: "account"))
    var expectedBucketOwner: String?

    @Option(
        help: ArgumentHelp(
            "A file with the key that the objects are encrypted with (SSE-C): 32 bytes, or these in Base64.",
            valueName: "file"), completion: .file())
    var sseCKeyFile: String?

    @Option(help: ArgumentHelp("Where the bucket's name stands in URLs.", valueName: "style"))
    var addressingStyle: AddressingStyle?

    @Option(
        help: ArgumentHelp("A file of certificates (PEM) to trust instead of the system's.", valueName: "file"),
        completion: .file())
    var caBundle: String?

    @Option("How many connections at the most.", valueName: "count")
    var maxConnections = 64

    @Option("How long a read or a listing may get nothing, retries included, before it fails.", valueName: "duration")
    var readTimeout = Time(seconds: 60)

    func validate() throws {
        if !(1...1_024).contains(maxConnections) {
            throw ValidationError("--max-connections \(maxConnections): give a number from 1 to 1024")
        }
        if readTimeout.secondCount == 0 { throw ValidationError("--read-timeout 0s: give at least 1s") }
    }
}

extension AddressingStyle: ExpressibleByArgument {}

/// The size of inode numbers.
enum InodeBits: String, CaseIterable, ExpressibleByArgument {
    case thirtyTwo = "32"
    case sixtyFour = "64"
}

/// How the mount looks to its users.
struct AppearanceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Let the mount be written to, and keep what is written in this folder on a local disk; the bucket is never written. Needs root.",
            valueName: "folder"), completion: .directory)
    var overlay: String?

    @Option(help: "The owner of everything (default: you, or whose the overlay's folder is).", transform: UInt32.read)
    var uid: UInt32?

    @Option(help: "The group of everything (default: yours, or the overlay's folder's).", transform: UInt32.read)
    var gid: UInt32?

    @Option(
        help: ArgumentHelp("The permissions of files, in octal (default: 0644).", valueName: "mode"),
        transform: Permissions.read)
    var fileMode: Permissions?

    @Option(
        help: ArgumentHelp("The permissions of folders, in octal (default: 0755).", valueName: "mode"),
        transform: Permissions.read)
    var dirMode: Permissions?

    @Option(
        help: ArgumentHelp(
            "The most bits of an inode number: 64, or 32 for programs of 32 bits; such numbers may differ between mounts.",
            valueName: "bits"))
    var inodeBits = InodeBits.sixtyFour

    @Flag(inversion: .prefixedNo, help: "Let other users use the mount too.")
    var allowOther = false

    @Flag(inversion: .prefixedNo, help: "Have no file be executed, whatever its permissions say.")
    var noexec = false

    @OptionGroup
    var securityContexts: SecurityContextOptions

    @Flag(
        inversion: .prefixedNo,
        help:
            "Show user.s3.etag, user.s3.key, user.s3.uri, user.s3.storage_class and user.s3.restore as extended attributes."
    )
    var xattrs = false

    @Flag(
        inversion: .prefixedNo,
        help:
            "The same, and user.s3.presigned_url: a URL that gives the file to whoever has it, for an hour at the most."
    )
    var presignXattr = false
}

/// The SELinux contexts that the kernel gives to a mount (mount(8)). They need root, and a machine where SELinux is enabled.
struct SecurityContextOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The SELinux context of everything in the mount. Needs root.", valueName: "context"))
    var context: String?

    @Option(help: ArgumentHelp("The SELinux context of the file system itself. Needs root.", valueName: "context"))
    var fscontext: String?

    @Option(help: ArgumentHelp("The SELinux context of files that have none. Needs root.", valueName: "context"))
    var defcontext: String?

    @Option(help: ArgumentHelp("The SELinux context of the mount's topmost folder. Needs root.", valueName: "context"))
    var rootcontext: String?

    /// Those that are given, by the kernel's names.
    var given: [(name: String, value: String)] {
        [("context", context), ("fscontext", fscontext), ("defcontext", defcontext), ("rootcontext", rootcontext)]
            .compactMap { name, value in value.map { (name, $0) } }
    }

    func validate() throws {
        for (name, value) in given where value.isEmpty || value.contains(where: { $0 == "\"" || $0.isWhitespace }) {
            throw ValidationError(
                "--\(name) \"\(value)\": give a context, such as system_u:object_r:httpd_sys_content_t:s0")
        }
    }
}

/// What is kept on the local disk, for the next reads and the next mounts.
struct CacheOptions: ParsableArguments {
    @OptionGroup
    var place: CacheFolderOptions

    @Option("How much of the disk they may take.", valueName: "size")
    var cacheSize = ByteCount(10 << 30)

    @Flag(name: .customLong("cache"), inversion: .prefixedNo, help: "Keep them on the disk, or keep nothing there.")
    var isKept = true

    func validate() throws {
        let least = ByteCount(CacheSettings.minimumByteLimit)
        if cacheSize.byteCount < least.byteCount {
            throw ValidationError("--cache-size \(cacheSize) is too little: give at least \(least), or --no-cache")
        }
        if !isKept, place.cacheDir != nil { throw ValidationError("give --cache-dir or --no-cache, not both") }
    }
}

/// How the serving process runs.
struct RunningOptions: ParsableArguments {
    @Option(
        "How long listings count as true: a time, or \"forever\" for a bucket that never changes.",
        valueName: "duration")
    var metadataTtl = MetadataLifetime(seconds: 60)

    @OptionGroup
    var memory: MemoryOptions

    @Option(
        "How long to try to mount while names have no addresses, the network is down or the machine's role isn't there yet.",
        valueName: "duration")
    var retry = Time(seconds: 0)

    @Flag(inversion: .prefixedNo, help: "Stay in the foreground, and log to standard error.")
    var foreground = false

    @Option(
        "Log from this level on: trace, debug, info, notice, warning, error or critical.", valueName: "level",
        completion: .cases(of: Logger.Level.self))
    var logLevel = Logger.Level.info

    @Option(
        help: ArgumentHelp("Log to this file (default: syslog). SIGHUP opens it again.", valueName: "file"),
        completion: .file())
    var logFile: String?

    @Option(
        help: ArgumentHelp("How log lines are written: text, or json for a JSON object a line.", valueName: "format"),
        completion: .cases(of: LogFormat.self), transform: LogFormat.read)
    var logFormat = LogFormat.text

    @Option(
        name: .customShort("o"),
        help: ArgumentHelp("Options as in /etc/fstab: any of these, without the dashes.", valueName: "option[=value],…")
    )
    var mountOptions: [String] = []

    /// Where log lines go. A file's name counts from the working directory.
    var logDestination: LogDestination {
        let file = logFile.map { LogDestination.Output.file(AbsolutePath.of($0)) }
        return LogDestination(
            output: file ?? (foreground ? .standardError : .syslog), level: logLevel, format: logFormat)
    }
}

/// How much memory is used.
struct MemoryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How much memory to use (default: an eighth of the machine's or the container's, at least 128MiB).",
            valueName: "size"),
        transform: ByteCount.read)
    var memoryLimit: ByteCount?

    @Option(
        help: ArgumentHelp(
            "How much of that is for listings, at most half of it (default: a quarter). What was not used for longest is "
                + "listed again when it is needed.",
            valueName: "size"),
        transform: ByteCount.read)
    var metadataLimit: ByteCount?

    func validate() throws {
        if let memoryLimit { try MemoryOptions.check(memoryLimit) }
        if let metadataLimit { try check(metadataLimit: metadataLimit) }
    }

    private static func check(_ memoryLimit: ByteCount) throws {
        let least = ByteCount(MemoryBudget.minimumByteLimit)
        if memoryLimit.byteCount < least.byteCount {
            throw ValidationError("--memory-limit \(memoryLimit) is too little: give at least \(least)")
        }
        if memoryLimit.byteCount > MachineMemory.byteCount() {
            throw ValidationError("--memory-limit \(memoryLimit) is more than this machine or container has: give less")
        }
    }

    private func check(metadataLimit: ByteCount) throws {
        let least = ByteCount(MemoryBudget.minimumMetadataByteLimit)
        if metadataLimit.byteCount < least.byteCount {
            throw ValidationError("--metadata-limit \(metadataLimit) is too little: give at least \(least)")
        }
        let most = ByteCount(MemoryBudget.metadataByteLimitMax(ofLimit: memoryByteLimit))
        if metadataLimit.byteCount > most.byteCount {
            throw ValidationError(
                "--metadata-limit \(metadataLimit) is more than half of the memory limit: give at most "
                    + "\(most.rounded), or a greater --memory-limit")
        }
    }

    private var memoryByteLimit: Int {
        memoryLimit?.byteCount ?? MemoryBudget.standardByteLimit(machineMemory: MachineMemory.byteCount())
    }

    /// How the memory is divided, with so many connections if there is room for them.
    func budget(connectionLimit: Int) -> MemoryBudget {
        MemoryBudget(
            byteLimit: memoryByteLimit, connectionLimit: connectionLimit, metadataByteLimit: metadataLimit?.byteCount)
    }
}
