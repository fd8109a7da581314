import Glibc
import ObjectStore
import S3Client

/// Which bucket a command is about and how it is asked: the command line, the environment and the profile brought together.
struct StoreSettings {
    let uri: S3URI
    var configuration: S3Configuration
    /// Where credentials are looked for; `nil` for unsigned requests.
    let credentials: CredentialsChain?

    /// - Throws: What is wrong with the settings, in one line.
    init(uri text: String, _ options: StoreOptions) throws {
        let environment = Environment.variables()
        uri = try S3URI(parsing: text)
        let shared = try SharedConfiguration(profile: options.profile, environment: environment)
        configuration = try S3Configuration.resolve(
            bucket: uri.bucket,
            options: S3Options(
                endpointURL: options.endpointUrl, region: options.region, addressingStyle: options.addressingStyle,
                caBundle: options.caBundle, isRequesterPaying: options.requestPayer,
                expectedBucketOwner: options.expectedBucketOwner, customerKeyFile: options.sseCKeyFile),
            environment: environment, shared: shared)
        configuration.userAgent = "tractfs/\(Tractfs.version)"
        configuration.caBundle = try configuration.caBundle.map(Self.readableFile)
        credentials =
            options.noSignRequest
            ? nil
            : CredentialsChain(
                environment: environment, profile: options.profile, caBundle: configuration.caBundle)
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
