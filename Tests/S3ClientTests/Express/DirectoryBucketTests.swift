import ObjectStore
import Testing

@testable import S3Client

@Suite struct `A directory bucket` {
    @Test(
        arguments: [
            ("hcp--use1-az4--x-s3", "use1-az4", "us-east-1"), ("hcp--use2-az1--x-s3", "use2-az1", "us-east-2"),
            ("a-b--usw2-az3--x-s3", "usw2-az3", "us-west-2"), ("a--b--usw2-az3--x-s3", "usw2-az3", "us-west-2"),
            ("hcp--usw2-lax1-az1--x-s3", "usw2-lax1-az1", "us-west-2"),
            ("hcp--apne1-az1--x-s3", "apne1-az1", "ap-northeast-1"),
            ("hcp--aps1-az1--x-s3", "aps1-az1", "ap-south-1"),
            ("hcp--apse1-az1--x-s3", "apse1-az1", "ap-southeast-1"), ("hcp--euw1-az1--x-s3", "euw1-az1", "eu-west-1"),
            ("hcp--eun1-az3--x-s3", "eun1-az3", "eu-north-1"), ("hcp--usgw1-az1--x-s3", "usgw1-az1", "us-gov-west-1"),
            ("hcp--cnnw1-az1--x-s3", "cnnw1-az1", "cn-northwest-1"),
            ("hcp---use1-az4--x-s3", "use1-az4", "us-east-1"), ("my-point--use1-az4--xa-s3", "use1-az4", "us-east-1"),
            ("hcp--zzq9-az1--x-s3", "zzq9-az1", nil), ("hcp--use-az1--x-s3", "use-az1", nil),
            ("hcp--use0-az1--x-s3", "use0-az1", nil), ("hcp--12-34--x-s3", "12-34", nil),
        ] as [(String, String, String?)])
    func `a directory bucket is recognized by its name, with its zone and usually its region`(
        name: String, zone: String, region: String?
    ) {
        let bucket = DirectoryBucket(name: name)
        #expect(bucket?.zone == zone)
        #expect(bucket?.region == region)
    }

    @Test(arguments: [
        "hcp", "hcp--x-s3", "use1-az4--x-s3", "hcp--use1-az4--x-s4", "hcp--use1-az4-x-s3", "hcp--zone--x-s3",
        "hcp--Use1-az4--x-s3", "hcp--use1_az4--x-s3", "hcp--use1.az4--x-s3", "--x-s3", "",
    ])
    func `other names are not those of directory buckets`(name: String) {
        #expect(DirectoryBucket(name: name) == nil)
    }

    private func resolve(
        _ options: S3Options = S3Options(), bucket: String = "hcp--usw2-az1--x-s3", _ variables: [String: String] = [:]
    ) throws -> S3Configuration {
        try withCredentialsFolder { folder in
            let environment = folder.environment.merging(variables) { $1 }
            return try S3Configuration.resolve(
                bucket: bucket, options: options, environment: environment,
                shared: SharedConfiguration(profile: nil, environment: environment))
        }
    }

    @Test(
        arguments: [
            (nil, [:], "hcp--usw2-az1--x-s3", "us-west-2"),
            (nil, ["AWS_REGION": "eu-west-1"], "hcp--usw2-az1--x-s3", "us-west-2"),
            ("us-west-9", ["AWS_REGION": "eu-west-1"], "hcp--usw2-az1--x-s3", "us-west-9"),
            (nil, ["AWS_REGION": "zz-east-1"], "hcp--zze1-az1--x-s3", "zz-east-1"),
            ("zz-east-1", [:], "hcp--zze1-az1--x-s3", "zz-east-1"),
        ] as [(String?, [String: String], String, String)])
    func `a directory bucket has the region of the option, of its zone, or of the environment`(
        option: String?, variables: [String: String], bucket: String, region: String
    ) throws {
        let configuration = try resolve(S3Options(region: option), bucket: bucket, variables)
        #expect(configuration.region == region)
        #expect(configuration.isDirectoryBucket)
    }

    @Test func `a directory bucket at a custom endpoint has the region of the environment, or of its zone`() throws {
        let options = S3Options(endpointURL: "http://127.0.0.1:9000")
        try #expect(resolve(options, ["AWS_REGION": "eu-west-1"]).region == "eu-west-1")
        try #expect(resolve(options).region == "us-west-2")
        try #expect(resolve(options, bucket: "hcp--zze1-az1--x-s3").region == "us-east-1")
        try #expect(!resolve(options).isDirectoryBucket)
    }

    @Test(arguments: [
        ("hcp--zze1-az1--x-s3", S3Options(), ["hcp--zze1-az1--x-s3", "--region"]),
        ("hcp--usw2-az1--x-s3", S3Options(isRequesterPaying: true), ["--request-payer", "directory bucket"]),
    ])
    func `an option that a directory bucket does not support is an error with the reason`(
        bucket: String, options: S3Options, words: [String]
    ) throws {
        let error = #expect(throws: SettingsError.self) { try resolve(options, bucket: bucket) }
        for word in words { #expect(error?.description.contains(word) == true) }
    }

    @Test func `a directory bucket has a host of its zone, whatever the addressing style`() {
        for style in AddressingStyle.allCases {
            let address = BucketAddress(
                bucket: "hcp--usw2-az1--x-s3", region: "us-west-2", endpoint: nil, style: style)
            #expect(address.server == "https://hcp--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com")
            #expect(address.path(of: .empty) == "/")
        }
    }

    @Test func `the URL of an object in a directory bucket is suggested as a URI`() {
        let url = "https://hcp--usw2-az1--x-s3.s3express-usw2-az1.us-west-2.amazonaws.com/HCP/1.nii"
        #expect(S3URI.suggestion(for: url) == "s3://hcp--usw2-az1--x-s3/HCP/1.nii")
    }
}
