import Foundation
import ObjectStore
import TestSupport
import Testing

@testable import S3Client

/// The destinations and signatures of requests, compared with botocore's.
@Suite struct `Hosts and botocore's` {
    private struct Case: Encodable {
        var service = "s3"
        var region = "us-east-1"
        var bucket = "my-bucket"
        var fips = false
        var dualstack = false

        /// The variables that say the same to us.
        var environment: [String: String] {
            [
                "AWS_REGION": region, "AWS_USE_FIPS_ENDPOINT": "\(fips)", "AWS_USE_DUALSTACK_ENDPOINT": "\(dualstack)",
                "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            ]
        }
    }

    private struct Reference: Decodable {
        let url: String?
        let region: String?
        let error: String?
    }

    private static let cases: [Case] = {
        var cases: [Case] = []
        for region in ["us-east-1", "eu-west-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1", "us-iso-east-1"] {
            for (fips, dualstack) in [(false, false), (true, false), (false, true), (true, true)] {
                let partition = Partition(region: region).rawValue
                let point = "arn:\(partition):s3:\(region):123456789012:accesspoint/my-point"
                for bucket in ["my-bucket", point] {
                    cases.append(Case(region: region, bucket: bucket, fips: fips, dualstack: dualstack))
                }
                cases.append(Case(service: "sts", region: region, fips: fips, dualstack: dualstack))
            }
        }
        // The access point's region counts, not the one that is configured.
        cases.append(Case(bucket: "arn:aws:s3:eu-west-1:123456789012:accesspoint/my-point"))
        return cases
    }()

    private func references() throws -> [Reference] {
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "endpoint_reference.py")
        return try withTemporaryDirectory { directory in
            let lines = try Self.cases.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
            let input = directory + "/cases"
            try lines.joined(separator: "\n").write(toFile: input, atomically: true, encoding: .utf8)
            return try runChecked(
                "sh", ["-c", "exec \"$1\" \"$2\" < \"$3\"", "sh", pythonExecutable(), script.path, input]
            ).split(separator: "\n").map { try JSONDecoder().decode(Reference.self, from: Data($0.utf8)) }
        }
    }

    private func ours(_ example: Case) throws -> (url: String, region: String) {
        let shared = try SharedConfiguration(profile: nil, environment: example.environment)
        if example.service == "sts" {
            let settings = ServiceSettings(environment: example.environment, profile: shared.profile)
            let service = try settings.securityTokenService()
            return ("\(service.endpoint)/", service.region)
        }
        let configuration = try S3Configuration.resolve(
            bucket: example.bucket, options: S3Options(addressingStyle: .virtual), environment: example.environment,
            shared: shared)
        let address = BucketAddress(
            bucket: configuration.bucket, region: configuration.region, endpoint: configuration.endpoint,
            style: configuration.addressingStyle, variant: configuration.endpointVariant)
        return (
            address.url(of: HTTPRequest(host: address.host, path: address.path(of: "k"))), configuration.region
        )
    }

    @Test(.enabled(if: hasBotocore, "python3 has no boto3: pip install boto3"))
    func `hosts are botocore's in all partitions, for FIPS, dual stack and access points`() throws {
        let references = try references()
        #expect(references.count == Self.cases.count)
        for (example, reference) in zip(Self.cases, references) {
            let what = "\(example)"
            guard let url = reference.url else {
                // botocore has no endpoint there; tractfs has none either, or one that does not exist.
                #expect(reference.error?.isEmpty == false, "\(what)")
                continue
            }
            let ours = try #require(try? ours(example), "\(what)")
            #expect(ours.url == url, "\(what)")
            #expect(ours.region == reference.region, "\(what)")
        }
        #expect(references.filter { $0.url != nil }.count > 60)
    }

    @Test(
        arguments: [
            ([:], "https://sts.amazonaws.com", "us-east-1"),
            (["AWS_REGION": "eu-west-1"], "https://sts.eu-west-1.amazonaws.com", "eu-west-1"),
            (
                ["AWS_REGION": "eu-west-1", "AWS_STS_REGIONAL_ENDPOINTS": "legacy"], "https://sts.amazonaws.com",
                "us-east-1"
            ),
            (
                ["AWS_REGION": "eu-south-1", "AWS_STS_REGIONAL_ENDPOINTS": "legacy"],
                "https://sts.eu-south-1.amazonaws.com", "eu-south-1"
            ),
            (["AWS_ENDPOINT_URL_STS": "http://a", "AWS_ENDPOINT_URL": "http://b"], "http://a", "us-east-1"),
            (["AWS_ENDPOINT_URL": "http://b", "AWS_REGION": "eu-west-1"], "http://b", "eu-west-1"),
            (
                ["AWS_ENDPOINT_URL": "http://b", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"],
                "https://sts.amazonaws.com", "us-east-1"
            ),
        ] as [([String: String], String, String)])
    func `the endpoint of the Security Token Service follows the variables`(
        variables: [String: String], endpoint: String, region: String
    ) throws {
        try withCredentialsFolder { folder in
            let environment = folder.environment.merging(variables) { $1 }
            let shared = try SharedConfiguration(profile: nil, environment: environment)
            let service = try ServiceSettings(environment: environment, profile: shared.profile).securityTokenService()
            #expect(service.endpoint.description == endpoint)
            #expect(service.region == region)
        }
    }

    @Test func `the endpoint of each service follows the profile's services section`() throws {
        let config = """
            [profile p]
            services = mine
            endpoint_url = http://all
            [services mine]
            s3 =
              endpoint_url = http://s3
            [profile q]
            endpoint_url = http://all
            [profile r]
            services = none
            """
        try withCredentialsFolder(config: config) { folder in
            func endpoint(_ service: AWSService, _ profile: String) throws -> String? {
                let shared = try SharedConfiguration(profile: profile, environment: folder.environment)
                return try ServiceSettings(environment: folder.environment, profile: shared.profile)
                    .endpoint(of: service)?.description
            }
            try #expect(endpoint(.s3, "p") == "http://s3")
            try #expect(endpoint(.sts, "p") == "http://all")
            try #expect(endpoint(.s3, "q") == "http://all")
            #expect(throws: SettingsError.self) { try endpoint(.s3, "r") }
        }
    }

    @Test(arguments: [
        (["AWS_USE_FIPS_ENDPOINT": "true", "AWS_ENDPOINT_URL": "http://x"], ["AWS_USE_FIPS_ENDPOINT", "http://x"]),
        (["AWS_USE_FIPS_ENDPOINT": "true", "AWS_REGION": "cn-north-1"], ["FIPS", "cn-north-1"]),
        (["AWS_USE_DUALSTACK_ENDPOINT": "yes"], ["AWS_USE_DUALSTACK_ENDPOINT", "true or false"]),
    ])
    func `the error for variables without a valid endpoint says why`(
        variables: [String: String], words: [String]
    ) throws {
        try withCredentialsFolder { folder in
            let environment = folder.environment.merging(variables) { $1 }
            let shared = try SharedConfiguration(profile: nil, environment: environment)
            let error = #expect(throws: SettingsError.self) {
                try S3Configuration.resolve(
                    bucket: "bucket", options: S3Options(), environment: environment, shared: shared)
            }
            for word in words { #expect(error?.description.contains(word) == true) }
        }
    }
}

/// `true` if the Python of the tests has botocore and boto3.
let hasBotocore = (try? run(pythonExecutable(), ["-c", "import botocore.auth, boto3"]))?.status == 0
