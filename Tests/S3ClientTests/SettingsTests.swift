import Foundation
import ObjectStore
import TestSupport
import Testing

@testable import S3Client

@Suite struct `An INI file` {
    @Test(arguments: [
        ("[a]\nK = v", ["a": ["k": "v"]]),
        ("\u{FEFF}[a]\r\nk=v\r\n", ["a": ["k": "v"]]),
        ("# c\n; c\n[a]\n # c\nk = v # no comment", ["a": ["k": "v # no comment"]]),
        ("[a]\nk : v=w", ["a": ["k": "v=w"]]),
        ("[a]\n  k = v\n  l = w", ["a": ["k": "v", "l": "w"]]),
        ("[a]\ns3 =\n  addressing_style = path\nk = v", ["a": ["s3": "", "s3.addressing_style": "path", "k": "v"]]),
        ("[profile x y]\nk=\n[b]", ["profile x y": ["k": ""], "b": [:]]),
        ("", [:]),
    ])
    func `an INI file is parsed as by botocore`(text: String, sections: [String: [String: String]]) throws {
        #expect(try INIFile(parsing: text, name: "f").sections == sections)
    }

    @Test(arguments: [
        ("k = secret", "line 1 of f"), ("[a]\n[a]", "line 2 of f"), ("[a]\nk=secret\nk=secret", "line 3 of f"),
        ("[a]\nsecret", "line 2 of f"), ("[a\n", "line 1 of f"), ("[a]\n= secret", "line 2 of f"),
    ])
    func `an error in an INI file names the line and never repeats it`(text: String, place: String) {
        let error = #expect(throws: SettingsError.self) { try INIFile(parsing: text, name: "f") }
        #expect(error?.description.contains(place) == true)
        #expect(error?.description.contains("secret") == false)
    }
}

@Suite struct `Credentials that are found` {
    /// Returns the result for these two files and variables: an id, or an error's description.
    private func resolve(
        credentials: String = "", config: String = "", environment: [String: String] = [:], profile: String? = nil
    ) throws -> Result<Credentials, SettingsError> {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tractfs-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = (folder.appending(path: "credentials"), folder.appending(path: "config"))
        try Data(credentials.utf8).write(to: files.0)
        try Data(config.utf8).write(to: files.1)
        let environment = environment.merging([
            "AWS_SHARED_CREDENTIALS_FILE": files.0.path, "AWS_CONFIG_FILE": files.1.path,
            "AWS_EC2_METADATA_DISABLED": "true",
        ]) { $1 }
        return Result { () throws(SettingsError) in
            try CredentialsChain(environment: environment, profile: profile).resolve().credentials
        }
    }

    private let keys = "aws_access_key_id = FILE\naws_secret_access_key = s\n"
    private let variables = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s"]

    @Test func `credentials in the environment precede those of the default profile`() throws {
        #expect(try resolve(credentials: "[default]\n\(keys)", environment: variables).get().accessKeyID == "ENV")
    }

    @Test func `credentials of an explicit profile precede those in the environment`() throws {
        let found = try resolve(credentials: "[x]\n\(keys)", environment: variables, profile: "x").get()
        #expect(found.accessKeyID == "FILE")
    }

    @Test func `credentials of AWS_PROFILE follow those in the environment`() throws {
        let environment = variables.merging(["AWS_PROFILE": "x"]) { $1 }
        #expect(try resolve(credentials: "[x]\n\(keys)", environment: environment).get().accessKeyID == "ENV")
    }

    @Test func `credentials are found in the config file, with the session token`() throws {
        let found = try resolve(config: "[profile x]\n\(keys)aws_session_token = t\n", profile: "x").get()
        #expect(found == Credentials(accessKeyID: "FILE", secretAccessKey: "s", sessionToken: "t"))
    }

    @Test func `a missing profile is an error that names the existing ones`() throws {
        let error = #expect(throws: SettingsError.self) {
            try resolve(credentials: "[one]\n\(keys)", config: "[profile two]\n", profile: "x").get()
        }
        #expect(error?.description.contains("they have one, two") == true)
    }

    @Test func `missing credentials are an error that names the searched locations`() throws {
        let error = #expect(throws: SettingsError.self) { try resolve().get() }
        #expect(error?.description.contains("AWS_ACCESS_KEY_ID") == true)
        #expect(error?.description.contains("the profile default") == true)
    }

    @Test func `a credentials file of a mebibyte is refused`() throws {
        let error = #expect(throws: SettingsError.self) {
            try resolve(credentials: String(repeating: "#\n", count: 1 << 19), profile: "x").get()
        }
        #expect(error?.description.hasSuffix("can't be read: File too large") == true, "\(String(describing: error))")
    }

    @Test func `a key without its secret is an error`() throws {
        #expect(throws: SettingsError.self) { try resolve(environment: ["AWS_ACCESS_KEY_ID": "ENV"]).get() }
    }

    @Test(arguments: ["hush\r", "hush\n", "hu sh", "hush\u{e9}", "hush\r\nX-Injected: 1"])
    func `invalid credentials are refused, and not shown`(secret: String) throws {
        let environment = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": secret]
        let error = #expect(throws: SettingsError.self) { try resolve(environment: environment).get() }
        #expect(error?.description.contains("secret access key from the environment") == true)
        #expect(error?.description.contains("hu") == false)
    }

    @Test func `credentials show no secret, however they are printed`() {
        let credentials = Credentials(accessKeyID: "AKIA12345678", secretAccessKey: "hush", sessionToken: "hush")
        var dumped = ""
        dump(credentials, to: &dumped)
        for text in ["\(credentials)", String(reflecting: credentials), dumped] {
            #expect(text.contains("…5678"))
            #expect(!text.contains("hush"))
            #expect(!text.contains("AKIA"))
        }
    }
}

@Suite struct `The configuration` {
    private func resolve(
        _ options: S3Options, _ environment: [String: String], config: String = "/nonexistent/a",
        bucket: String = "bucket"
    ) throws -> S3Configuration {
        let files = ["AWS_CONFIG_FILE": config, "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent/b"]
        let environment = environment.merging(files) { $1 }
        let shared = try SharedConfiguration(profile: nil, environment: environment)
        return try S3Configuration.resolve(bucket: bucket, options: options, environment: environment, shared: shared)
    }

    @Test func `the region is that of the command line, then AWS_REGION, then AWS_DEFAULT_REGION`() throws {
        let environment = ["AWS_REGION": "r2", "AWS_DEFAULT_REGION": "r3"]
        #expect(try resolve(S3Options(region: "r1"), environment).region == "r1")
        #expect(try resolve(S3Options(), environment).region == "r2")
        #expect(try resolve(S3Options(), ["AWS_REGION": "", "AWS_DEFAULT_REGION": "r3"]).region == "r3")
        #expect(try resolve(S3Options(), [:]).region == "us-east-1")
    }

    @Test func `the endpoint is that of the command line, then the S3 variable, then the general one`() throws {
        let environment = ["AWS_ENDPOINT_URL_S3": "http://two", "AWS_ENDPOINT_URL": "http://three"]
        #expect(try resolve(S3Options(endpointURL: "http://one"), environment).endpoint?.host == "one")
        #expect(try resolve(S3Options(), environment).endpoint?.host == "two")
        #expect(try resolve(S3Options(), ["AWS_ENDPOINT_URL": "http://three"]).endpoint?.host == "three")
        #expect(try resolve(S3Options(), [:]).endpoint == nil)
    }

    @Test func `the addressing style is that of the command line, then the profile`() throws {
        try withTemporaryDirectory { directory in
            let config = directory + "/config"
            try "[default]\ns3 =\n  addressing_style = virtual\n".write(
                toFile: config, atomically: false, encoding: .utf8)
            #expect(try resolve(S3Options(), [:], config: config).addressingStyle == .virtual)
            #expect(try resolve(S3Options(addressingStyle: .path), [:], config: config).addressingStyle == .path)
            #expect(try resolve(S3Options(), [:]).addressingStyle == .auto)
            try "[default]\ns3 =\n  addressing_style = vitual\n".write(
                toFile: config, atomically: false, encoding: .utf8)
            let error = #expect(throws: SettingsError.self) { try resolve(S3Options(), [:], config: config) }
            #expect(error?.description.contains("vitual, which is none of auto, path, virtual") == true)
        }
    }

    @Test func `a bucket's name before an IPv6 address is refused`() {
        let options = S3Options(endpointURL: "http://[::1]:9000", addressingStyle: .virtual)
        let error = #expect(throws: SettingsError.self) { try resolve(options, [:]) }
        #expect(error?.description.contains("--addressing-style path") == true)
    }

    @Test(arguments: ["RegionOne", "Default", "region_one", "a.b", "us-east-1:x", String(repeating: "r", count: 255)])
    func `a custom endpoint may have any region, and AWS only its own`(region: String) throws {
        let endpoint = ["AWS_ENDPOINT_URL": "http://127.0.0.1:1"]
        try withTemporaryDirectory { directory in
            let config = directory + "/config"
            try "[default]\nregion = \(region)\n".write(toFile: config, atomically: false, encoding: .utf8)
            #expect(try resolve(S3Options(), endpoint, config: config).region == region)
            #expect(throws: SettingsError.self) { try resolve(S3Options(), [:], config: config) }
        }
        for variable in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
            let environment = [variable: region]
            #expect(try resolve(S3Options(), endpoint.merging(environment) { $1 }).region == region)
            let error = #expect(throws: SettingsError.self) { try resolve(S3Options(), environment) }
            #expect(error?.description.hasPrefix("\(variable) is ") == true)
        }
        #expect(try resolve(S3Options(endpointURL: "https://s.org", region: region), [:]).region == region)
        #expect(throws: SettingsError.self) { try resolve(S3Options(region: region), [:]) }
    }

    @Test(arguments: ["a/b", "a b", "a,b", "é", "a\nb", String(repeating: "r", count: 256)])
    func `a region that no signature can have is refused at any endpoint`(region: String) {
        let error = #expect(throws: SettingsError.self) {
            try resolve(S3Options(endpointURL: "https://s.org", region: region), [:])
        }
        #expect(error?.description.contains("is not a region name") == true)
    }

    @Test(arguments: [
        "My_Bucket", "tenant:bucket", "UPPER", "a", "a..b", "-x-", "192.168.1.1", "bücket", "a b", "x+y=z",
        String(repeating: "b", count: 255),
    ])
    func `a custom endpoint may have any bucket in the path, and AWS only valid ones`(bucket: String) throws {
        let uri = try S3URI(parsing: "s3://\(bucket)/p/q")
        #expect(uri.bucket == bucket && uri.prefix == "p/q")
        let configuration = try resolve(S3Options(endpointURL: "https://s.org"), [:], bucket: bucket)
        #expect(configuration.bucket == bucket)
        let error = #expect(throws: SettingsError.self) { try resolve(S3Options(), [:], bucket: bucket) }
        #expect(error?.description.contains("can't be a bucket's name") == true)
        #expect(error?.description.contains("--endpoint-url") == true)
    }

    @Test(arguments: ["tenant:bucket", "a..b", "-x", "bücket", "a b", String(repeating: "b", count: 64)])
    func `a bucket that cannot be part of a host name is refused`(bucket: String) {
        let options = S3Options(endpointURL: "https://s.org", addressingStyle: .virtual)
        let error = #expect(throws: SettingsError.self) { try resolve(options, [:], bucket: bucket) }
        #expect(error?.description.contains("--addressing-style path") == true)
    }

    @Test(arguments: ["My_Bucket", "UPPER", "my.bucket", "a"])
    func `a bucket may be part of another store's host name`(bucket: String) throws {
        let options = S3Options(endpointURL: "https://s.org", addressingStyle: .virtual)
        #expect(try resolve(options, [:], bucket: bucket).bucket == bucket)
    }

    @Test func `an error about an invalid value names its origin`() {
        let error = #expect(throws: SettingsError.self) { try resolve(S3Options(), ["AWS_ENDPOINT_URL": "ftp://x"]) }
        #expect(error?.description.hasPrefix("AWS_ENDPOINT_URL: ") == true)
    }
}
