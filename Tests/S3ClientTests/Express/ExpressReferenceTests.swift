import Foundation
import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

/// Requests to directory buckets, compared with botocore's: hosts, services, tokens and signatures.
@Suite struct `Requests to directory buckets and botocore's` {
    private struct Case: Encodable {
        var region = "us-east-1"
        var bucket = "hcp--use1-az4--x-s3"
        var fips = false
        var dualstack = false
        var key = "sub-01/T1w.nii.gz"
        var prefix = "sub-01/"

        /// The variables that say the same to us. The region is the zone's, where its id tells.
        var environment: [String: String] {
            [
                "AWS_REGION": region, "AWS_USE_FIPS_ENDPOINT": "\(fips)", "AWS_USE_DUALSTACK_ENDPOINT": "\(dualstack)",
                "AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
            ]
        }
    }

    private struct Sent: Decodable {
        let url: String
        let headers: [String: String]
    }

    private struct Reference: Decodable {
        let requests: [Sent]?
        let presigned: String?
        let error: String?
    }

    private static let cases: [Case] = {
        let zones = [
            ("us-east-1", "use1-az4"), ("us-east-2", "use2-az1"), ("us-west-2", "usw2-az3"),
            ("us-west-2", "usw2-lax1-az1"), ("ap-northeast-1", "apne1-az4"), ("ap-south-1", "aps1-az1"),
            ("eu-west-1", "euw1-az1"), ("eu-north-1", "eun1-az2"), ("us-gov-west-1", "usgw1-az1"),
            ("cn-north-1", "cnn1-az1"), ("zz-east-1", "zze1-az1"),
        ]
        var cases: [Case] = []
        for (region, zone) in zones {
            for (fips, dualstack) in [(false, false), (true, false), (false, true), (true, true)] {
                for suffix in ["x-s3", "xa-s3"] {
                    let bucket = "my-data--\(zone)--\(suffix)"
                    cases.append(Case(region: region, bucket: bucket, fips: fips, dualstack: dualstack))
                }
            }
        }
        for name in ["a b+c%20é漢🧠", "a//b/./../c", "[]{}()!$&'*,;=:@~#?\"\\^`|<>.txt"] {
            cases.append(Case(key: "d/" + name, prefix: name + "/"))
        }
        return cases
    }()

    private func references() throws -> [Reference] {
        let script = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "express_reference.py")
        return try withTemporaryDirectory { directory in
            let lines = try Self.cases.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
            let input = directory + "/cases"
            try lines.joined(separator: "\n").write(toFile: input, atomically: true, encoding: .utf8)
            return try runChecked(
                "sh", ["-c", "exec \"$1\" \"$2\" < \"$3\"", "sh", pythonExecutable(), script.path, input],
                timeout: .seconds(300)
            ).split(separator: "\n").map { try JSONDecoder().decode(Reference.self, from: Data($0.utf8)) }
        }
    }

    private static let account = Credentials(
        accessKeyID: "AKIAUSER", secretAccessKey: "user/secret+1", sessionToken: "user/token+==")
    private static let session = Credentials(
        accessKeyID: "ASIASESSION", secretAccessKey: "session/secret", sessionToken: "session/token+with==odd"
    ).ofBucketSession

    @Test(.enabled(if: hasBotocore, "python3 has no boto3: pip install boto3"))
    func `are the same for sessions, objects, listings and URLs`() throws {
        let references = try references()
        #expect(references.count == Self.cases.count)
        var comparedCount = 0
        for (example, reference) in zip(Self.cases, references) {
            guard let requests = reference.requests else {
                // FIPS hosts that don't exist.
                #expect(reference.error?.isEmpty == false, "\(example)")
                continue
            }
            let shared = try SharedConfiguration(profile: nil, environment: example.environment)
            let configuration = try S3Configuration.resolve(
                bucket: example.bucket, options: S3Options(), environment: example.environment, shared: shared)
            #expect(configuration.region == example.region)
            try #require(requests.count == 4, "\(example)")
            // The second is made by botocore itself, and says no mode.
            try expectSame(requests[0], as: "", of: configuration, signedBy: Self.account)
            try expectSame(requests[2], as: Key(example.key), of: configuration, signedBy: Self.session)
            try expectSame(requests[3], as: "", of: configuration, signedBy: Self.session)
            // For access points botocore 1.43 takes "aws-global" for a region here.
            if !example.bucket.hasSuffix("--xa-s3") {
                try expectSame(presigned: #require(reference.presigned), of: Key(example.key), configuration)
            }
            comparedCount += 1
        }
        #expect(comparedCount > 80)
    }

    private func address(_ configuration: S3Configuration) -> BucketAddress {
        BucketAddress(
            bucket: configuration.bucket, region: configuration.region, endpoint: configuration.endpoint,
            style: configuration.addressingStyle, variant: configuration.endpointVariant)
    }

    private func query(of url: String) -> [QueryItem] {
        let fields = url.split(separator: "?", maxSplits: 1).dropFirst().first?.split(separator: "&") ?? []
        return fields.map { field in
            let parts = field.split(separator: "=", maxSplits: 1).map { String($0).removingPercentEncoding ?? "" }
            return QueryItem(parts[0], parts.count == 2 ? parts[1] : "")
        }
    }

    /// Signs the same request, with the headers that botocore has beside those of the signature.
    private func expectSame(
        _ sent: Sent, as key: Key, of configuration: S3Configuration, signedBy credentials: Credentials
    ) throws {
        let address = address(configuration)
        let authorization = try #require(sent.headers["authorization"])
        let names = try #require(authorization.firstMatch(of: /SignedHeaders=([^,]*)/)).1.split(separator: ";")
        let ours: Set<Substring> = [
            "host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token", "x-amz-s3session-token",
        ]
        let request = HTTPRequest(
            host: address.host, path: address.path(of: key), query: query(of: sent.url),
            headers: names.filter { !ours.contains($0) }.map { HTTPHeader(String($0), sent.headers[String($0)] ?? "") })
        let signer = Signer(
            credentials: credentials, region: configuration.region, service: "s3express",
            time: try time(#require(sent.headers["x-amz-date"])))
        let signed = signer.signed(request)
        #expect(sent.url.prefix { $0 != "?" } == address.server + request.path)
        #expect(signed.headers.last == HTTPHeader("Authorization", authorization), "\(sent.url)")
        for name in ["x-amz-security-token", "x-amz-s3session-token"] {
            #expect(signed.headers.first { $0.name == name }?.value == sent.headers[name], "\(name) of \(sent.url)")
        }
    }

    private func expectSame(presigned url: String, of key: Key, _ configuration: S3Configuration) throws {
        let address = address(configuration)
        let fields = query(of: url)
        let date = try #require(fields.first { $0.name == "X-Amz-Date" })
        let signer = Signer(
            credentials: Self.session, region: configuration.region, service: "s3express",
            time: try time(String(decoding: date.value, as: UTF8.self)))
        let request = signer.presigned(HTTPRequest(host: address.host, path: address.path(of: key)), lifetime: 120)
        #expect(Set(request.query) == Set(fields), "\(url)")
        #expect(url.prefix { $0 != "?" } == address.server + request.path)
    }

    /// The time of a signature: 20260131T120000Z.
    private func time(_ text: String) throws -> Timestamp {
        let match = try #require(text.wholeMatch(of: /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/))
        let numbers = [match.1, match.2, match.3, match.4, match.5, match.6].compactMap { Int($0) }
        return try #require(
            Timestamp(
                year: numbers[0], month: numbers[1], day: numbers[2], hour: numbers[3], minute: numbers[4],
                second: numbers[5]))
    }
}
