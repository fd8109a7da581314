import Glibc
package import ObjectStore
package import S3Client
import SystemSupport

/// The settings of a bucket, or a prefix of one: options and environment, checked and brought together.
package struct StoreSettings: Sendable {
    package let uri: S3URI
    package let configuration: S3Configuration
    /// The sources of credentials; `nil` for unsigned requests.
    package let credentials: CredentialsChain?

    /// Checks the settings of a bucket and brings them together.
    ///
    /// - Parameters:
    ///   - uri: As the user gives it: `s3://BUCKET[/PREFIX]`.
    ///   - options: The options for the bucket.
    ///   - connectionLimit: The most connections.
    /// - Throws: If the settings are wrong.
    package init(_ uri: String, _ options: StoreOptions, connectionLimit: Int, environment: [String: String]) throws {
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
        configuration.userAgent = "tractfs/\(ProgramVersion.current)"
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

    /// Returns the absolute path of a file that exists.
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
    package var root: Key {
        prefix.bytes.isEmpty || prefix.endsInDelimiter ? prefix : prefix.appending([Key.delimiter])
    }
}
