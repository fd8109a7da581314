import ArgumentParser
import FileSystem
import S3Client
import Settings
import SystemSupport

/// `tractfs presign`.
struct PresignCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "presign",
        abstract: "Print URLs that give files to whoever has them, for some time.",
        discussion: """
            For a file in a mount, the mount signs the URL, with its own credentials and settings. For s3://BUCKET/KEY it is \
            signed here, with those that "tractfs mount" would use; whether there is such an object isn't asked. The bucket is \
            asked for its region only, where neither --region nor an endpoint of its own with a region says it.

            With --recursive there is a URL for each file in a folder and below, in the order of the keys. --include and \
            --exclude choose among them by their paths below the folder: "*" stands for any characters, "/" too, "?" for one, \
            "[a-z]" for one of these, as in the AWS CLI. A file is taken if it matches an --include, or there is none, and no \
            --exclude. Where nothing is taken the exit status is 1.

            With --json it is one array of objects: "key", "size" in bytes (null where the keys may not ask for it), "url", and \
            "expires", when the URL stops working (UTC; null with --no-sign-request, where it isn't signed).

            A URL works for as long as was asked for, but never longer than the credentials that signed it; those of a role \
            sign for 36 hours at the most, those of an EC2 machine or a container for 6. Standard error says so where that is \
            less. A --region that isn't the bucket's makes URLs that don't work; --max-connections has no effect here, and with \
            --sse-c-key-file there are no URLs. Treat URLs as secrets.
            """)

    @Argument(
        help: ArgumentHelp("A file or a folder in a mount, or of a bucket.", valueName: "path|s3://BUCKET/KEY"),
        completion: .file())
    var place: String

    @Option(
        help: ArgumentHelp("How long the URLs work, at most 7d; a number alone means seconds.", valueName: "duration"),
        transform: URLLifetime.read)
    var expiresIn = URLLifetime.standard

    @Flag(help: "All files in a folder and below it.")
    var recursive = false

    @Option(help: ArgumentHelp("Only files that match; may be repeated.", valueName: "glob"))
    var include: [String] = []

    @Option(help: ArgumentHelp("No files that match; may be repeated.", valueName: "glob"))
    var exclude: [String] = []

    @Flag(help: "Print a JSON array, for programs.")
    var json = false

    @OptionGroup(title: "Bucket (not for a path in a mount)")
    var store: StoreOptions

    @OptionGroup(title: "Configuration")
    var files: ConfigurationFileOptions

    /// A mount signs with its own settings.
    static func isConfigurable(with operands: [String]) -> Bool {
        operands.first?.hasPrefix(uriScheme) ?? false
    }

    private static let uriScheme = "s3://"

    func validate() throws {
        if place.isEmpty {
            throw ValidationError("the path is empty; give a file or a folder in a mount, or s3://BUCKET/KEY")
        }
        if !recursive, !(include + exclude).isEmpty {
            throw ValidationError("--include and --exclude choose among many files; give --recursive too")
        }
        if !isURI, let option = store.firstGiven {
            throw ValidationError(
                "\(option): a mount signs with its own settings; leave it out, or give s3://BUCKET/KEY")
        }
    }

    private var isURI: Bool { place.hasPrefix(Self.uriScheme) }

    func run() throws {
        var output = PresignOutput(inJSON: json)
        var warnings = URLWarnings(asked: expiresIn)
        try forEachFile { file throws(Failure) in
            warnings.note(file)
            try output.add(file)
        }
        try output.finish()
        if output.isEmpty {
            throw Failure(
                (include + exclude).isEmpty ? "there are no files in \(place)" : "no file in \(place) matches")
        }
    }

    private func forEachFile(_ body: (PresignedFile) throws(Failure) -> Void) throws {
        let patterns = recursive ? KeyPatterns(including: include, excluding: exclude) : nil
        if isURI {
            let settings = try StoreSettings(
                place, store, connectionLimit: store.maxConnections, environment: Environment.variables())
            let bucket = try PresignedBucket(
                settings, lifetime: expiresIn.secondCount, requestTimeout: store.readTimeout.duration)
            defer { bucket.shutdown() }
            if let patterns { return try bucket.forEachFile(matching: patterns, body) }
            try body(bucket.file(withSize: json))
        } else {
            try PresignedPath(place, lifetime: expiresIn.secondCount).forEachFile(matching: patterns, body)
        }
    }
}

extension StoreOptions {
    /// The name of an option that says how a bucket is asked; `nil` where none was given.
    fileprivate var firstGiven: String? {
        let given: KeyValuePairs = [
            "--endpoint-url": endpointUrl != nil, "--region": region != nil, "--profile": profile != nil,
            "--no-sign-request": !signRequest, "--request-payer": requestPayer,
            "--unordered-listings": unorderedListings,
            "--expected-bucket-owner": expectedBucketOwner != nil, "--sse-c-key-file": sseCKeyFile != nil,
            "--addressing-style": addressingStyle != nil, "--ca-bundle": caBundle != nil,
        ]
        return given.first { $0.value }?.key
    }
}
