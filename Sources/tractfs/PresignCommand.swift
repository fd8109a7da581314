import ArgumentParser
import FileSystem
import S3Client
import Settings
import SystemSupport

/// The command `tractfs presign`.
struct PresignCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "presign",
        abstract: "Print presigned URLs, with which anyone can download files for a limited time.",
        discussion: """
            For a file in a mount, the mount signs the URL, with its own credentials and settings. For s3://BUCKET/KEY this \
            command signs it, with the credentials and settings that "tractfs mount" would use. It doesn't check that the \
            object exists, and sends a request only if neither --region nor the endpoint tells the bucket's region.

            With --recursive it prints a URL for each file in a folder and below, in the order of the keys. --include and \
            --exclude select files by their paths below the folder, as in the AWS CLI: "*" matches any characters, "/" too, "?" \
            matches one, "[a-z]" one of these. A file is selected if it matches an --include, or there is none, and no \
            --exclude. If no file is selected, the exit status is 1.

            With --json it prints one array of objects: "key", "size" in bytes (null if the credentials don't permit to list), \
            "url", and "expires", the time at which the URL stops working (UTC; null with --no-sign-request, since it isn't \
            signed).

            A URL works for the requested time, but never longer than the credentials that signed it. Those of a role sign \
            for at most 36 hours, those of an EC2 instance or a container for 6; standard error says so if that is less. With \
            a --region other than the bucket's, URLs don't work; --max-connections has no effect, and with --sse-c-key-file \
            there are no URLs. Treat URLs as secrets.
            """)

    @Argument(
        help: ArgumentHelp("A file or a folder in a mount, or of a bucket.", valueName: "path|s3://BUCKET/KEY"),
        completion: .file())
    var place: String

    @Option(
        help: ArgumentHelp("The validity of the URLs, at most 7d; a bare number means seconds.", valueName: "duration"),
        transform: URLLifetime.read)
    var expiresIn = URLLifetime.standard

    @Flag(help: "Include all files in a folder and below it.")
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

    /// Returns `true` for a bucket: a mount signs with its own settings.
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
    /// The name of a given option that applies to requests to a bucket; `nil` if there is none.
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
