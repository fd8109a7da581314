import Foundation
import TestSupport
import Testing

/// A service for credentials that wants to harm its clients.
@Suite struct MaliciousServiceTests {
    /// A debug build takes some 40 MiB by itself.
    private static let memoryByteLimit = 160 << 20

    /// The ways in which tractfs sends a request to a service at a URL.
    enum Way: CaseIterable {
        case machine, container, securityTokens

        func environment(_ url: String, directory: String) throws -> [String: String] {
            switch self {
            case .machine: return ["AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": url]
            case .container: return ["AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/credentials"]
            case .securityTokens:
                try "token".write(toFile: directory + "/token", atomically: true, encoding: .utf8)
                return [
                    "AWS_ENDPOINT_URL_STS": url, "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/tract",
                    "AWS_WEB_IDENTITY_TOKEN_FILE": directory + "/token", "AWS_REGION": "us-east-1",
                ]
            }
        }
    }

    /// Mounts with the credentials of a service at `url`. Expects a message without control characters, and bounded
    /// memory.
    private func expectRefusal(_ way: Way, at url: String, _ what: String) throws {
        try withTemporaryDirectory { directory in
            let program = """
                import resource, subprocess, sys
                result = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL)
                print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
                sys.exit(result.returncode)
                """
            let mountPoint = directory + "/mount"
            try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
            let result = try run(
                pythonExecutable(),
                ["-c", program, try tractfsExecutable(), "mount", "s3://tract-test", mountPoint, "--no-cache"]
                    + ["--endpoint-url", "http://127.0.0.1:1"],
                environment: environmentWithoutKeys.merging(try way.environment(url, directory: directory)) { $1 })
            #expect(result.status == 1, "\(what) to a \(way): \(result.errorOutput)")
            #expect(result.errorOutput.hasPrefix("tractfs: ") && result.errorOutput.hasSuffix("\n"))
            expectPrintable(Data(result.errorOutput.utf8), "\(what) to a \(way)")
            let peak = try #require(Int(result.output.trimmingCharacters(in: .whitespacesAndNewlines))) << 10
            #expect(peak < Self.memoryByteLimit, "\(what) to a \(way)")
        }
    }

    @Test func `A credentials service that sends without end is given up`() throws {
        // Each kind of request must stop reading an endless body. The other limits are curl's and the head's, and the
        // same for all.
        let cases =
            Way.allCases.map { ($0, Attack.body) } + zip(Way.allCases + Way.allCases + Way.allCases, Attack.allCases)
        try inParallel(cases.count) { index in
            let (way, attack) = cases[index]
            try withS3TestServer { server in
                server.script(.any, .attack(attack))
                try expectRefusal(way, at: server.endpointURL, "\(attack)")
            }
        }
    }

    private static let documents = [
        "deep arrays": String(repeating: "[", count: 200_000),
        "deep objects": String(repeating: #"{"a":"#, count: 40_000),
        "giant numbers": #"{"AccessKeyId":1e999999999,"Expiration":\#(String(repeating: "9", count: 100_000))}"#,
        "a giant time": credentials(#""Expiration":"99999999999999999999-01-01T00:00:00Z""#),
        "a time that is a giant number": credentials(#""Expiration":9e999"#),
        "a time before all times": credentials(#""Expiration":"0001-01-01T00:00:00+23:59""#),
        "escapes": #"{"Code":"\u001b[2J\u009b31m","Message":"\u001b]0;owned\u0007\r\ntractfs: forged"}"#,
        "escapes in credentials": #"{"AccessKeyId":"A\r\nX: y","SecretAccessKey":"\u001b[2J","Token":"\u0000"}"#,
        "raw escapes": Malice.text,
        "XML with entities": Malice.documents[0].text,
        "XML with escapes":
            "<ErrorResponse><Error><Code>\(Malice.xmlText)</Code><Message>\(Malice.xmlText)</Message></Error></ErrorResponse>",
    ]

    private static func credentials(_ more: String) -> String {
        #"{"Code":"Success","AccessKeyId":"AKIDEXAMPLE","SecretAccessKey":"secretsecret","Token":"token",\#(more)}"#
    }

    @Test(arguments: documents.keys.sorted())
    func `A credentials service with answers that are too deep, too big or not text is refused in one line`(
        name: String
    ) throws {
        let document = try #require(Self.documents[name])
        for status in [200, 403] {
            try withServiceTestServer(answering: { _ in .init(document, status: status) }) { service in
                try inParallel(Way.allCases.count) {
                    try expectRefusal(Way.allCases[$0], at: service.url, "\(name), \(status),")
                }
            }
        }
    }
}
