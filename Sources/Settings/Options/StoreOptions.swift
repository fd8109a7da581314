public import ArgumentParser
public import S3Client

/// The options for the location of a bucket and for requests. Names are those of the AWS CLI if it has the option.
package struct StoreOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The URL of an S3 service other than AWS.", valueName: "url"))
    package var endpointUrl: String?

    @Option(help: "The region of the bucket. Another one is detected and used.")
    package var region: String?

    @Option(help: "A profile of ~/.aws/credentials and ~/.aws/config.", completion: .profiles)
    package var profile: String?

    @Flag(inversion: .prefixedNo, help: "Sign requests; --no-sign-request is for public buckets.")
    package var signRequest = true

    @Flag(inversion: .prefixedNo, help: "Pay for the requests, as requester-pays buckets demand.")
    package var requestPayer = false

    @Flag(
        inversion: .prefixedNo,
        help: "Accept listings in any order: each folder is listed to its end before it is shown.")
    package var unorderedListings = false

    @Option(
        help: ArgumentHelp(
            "Read only if the bucket belongs to this account (twelve digits).", valueName: "account"))
    package var expectedBucketOwner: String?

    @Option(
        help: ArgumentHelp(
            "A file with the key of objects that are encrypted with SSE-C: 32 bytes, or these in Base64.",
            valueName: "file"), completion: .file())
    package var sseCKeyFile: String?

    @Option(help: ArgumentHelp("The place of the bucket's name in URLs.", valueName: "style"))
    package var addressingStyle: AddressingStyle?

    @Option(
        help: ArgumentHelp("A file of certificates (PEM) to trust instead of the system's.", valueName: "file"),
        completion: .file())
    package var caBundle: String?

    @Option("The maximum number of connections.", valueName: "count")
    package var maxConnections = 64

    @Option(
        "The time, retries included, after which a read or listing fails that receives nothing.", valueName: "duration")
    package var readTimeout = Time(seconds: 60)

    package init() {}

    package func validate() throws {
        if !(1...1_024).contains(maxConnections) {
            throw ValidationError("--max-connections \(maxConnections): give a number from 1 to 1024")
        }
        if readTimeout.secondCount == 0 { throw ValidationError("--read-timeout 0s: give at least 1s") }
    }
}

extension AddressingStyle: ExpressibleByArgument {}
