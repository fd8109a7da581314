import Glibc
import ObjectStore
import S3Client

/// Which bucket, or prefix of one, and how it is asked: the command line and the environment, checked and brought together.
struct StoreSettings: Sendable {
    let uri: S3URI
    let configuration: S3Configuration
    /// Where credentials are looked for; `nil` for unsigned requests.
    let credentials: CredentialsChain?

    /// - Parameters:
    ///   - uri: As the user gives it: `s3://BUCKET[/PREFIX]`.
    ///   - options: What else the command line says.
    ///   - connectionLimit: How many connections at the most.
    /// - Throws: What is wrong with the settings, in one line.
    init(_ uri: String, _ options: StoreOptions, connectionLimit: Int, environment: [String: String]) throws {
        self.uri = try S3URI(parsing: uri)
        let shared = try SharedConfiguration(profile: options.profile, environment: environment)
        var configuration = try S3Configuration.resolve(
            bucket: self.uri.bucket,
            options: S3Options(
                endpointURL: options.endpointUrl, region: options.region, addressingStyle: options.addressingStyle,
                caBundle: options.caBundle, isRequesterPaying: options.requestPayer,
                hasUnorderedListings: options.unorderedListings,
                expectedBucketOwner: options.expectedBucketOwner, customerKeyFile: options.sseCKeyFile),
            environment: environment, shared: shared)
        configuration.connectionLimit = connectionLimit
        configuration.userAgent = "tractfs/\(Tractfs.version)"
        configuration.caBundle = try configuration.caBundle.map(StoreSettings.readableFile)
        self.configuration = configuration
        if configuration.isDirectoryBucket, !options.signRequest {
            throw Failure(
                "\(self.uri.bucket) is a directory bucket, which answers signed requests only; leave out --no-sign-request"
            )
        }
        credentials =
            options.signRequest
            ? CredentialsChain(environment: environment, profile: options.profile, caBundle: configuration.caBundle)
            : nil
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

extension S3URI {
    /// The prefix as a directory: it ends in "/", unless it is the whole bucket.
    var root: Key {
        prefix.bytes.isEmpty || prefix.endsInDelimiter ? prefix : prefix.appending([Key.delimiter])
    }
}
