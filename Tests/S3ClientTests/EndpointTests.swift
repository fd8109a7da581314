import ObjectStore
import Testing

@testable import S3Client

@Suite struct `An S3 URI` {
    @Test(arguments: [
        ("s3://hcp-openaccess", "hcp-openaccess", ""), ("s3://hcp-openaccess/", "hcp-openaccess", ""),
        ("s3://hcp-openaccess/HCP", "hcp-openaccess", "HCP"), ("s3://my.bucket/a//b%20c/", "my.bucket", "a//b%20c/"),
        ("s3://abc//x", "abc", "/x"),
        (
            "s3://arn:aws:s3:us-west-2:123456789012:accesspoint/my-point/a/b",
            "arn:aws:s3:us-west-2:123456789012:accesspoint/my-point", "a/b"
        ),
        (
            "s3://arn:aws-cn:s3:cn-north-1:123456789012:accesspoint:my-point",
            "arn:aws-cn:s3:cn-north-1:123456789012:accesspoint/my-point", ""
        ),
    ])
    func `an S3 URI has a bucket and a prefix`(text: String, bucket: String, prefix: String) throws {
        let uri = try S3URI(parsing: text)
        #expect(uri.bucket == bucket)
        #expect(uri.prefix == Key(prefix))
    }

    @Test(arguments: [
        "", "bucket", "https://bucket", "S3://bucket", "s3://", "s3:///x", "s3://.", "s3://../x", "s3://a\nb",
        "s3://a\u{202E}b", "s3://" + String(repeating: "x", count: 256), "s3://arn:aws:s3:::b",
        "s3://arn:aws:s3:us-east-1:123456789012:accesspoint",
        "s3://arn:aws:s3:us-east-1:123:accesspoint/ap1", "s3://arn:aws:s3:cn-north-1:123456789012:accesspoint/ap1",
        "s3://arn:aws:s3::123456789012:accesspoint/m.mrap", "s3://arn:aws:s3-outposts:us-east-1:123456789012:outpost/o",
        "s3://arn:aws:s3:us-east-1:123456789012:accesspoint/Ap_1",
        "s3://abc/" + String(repeating: "x", count: 1_025),
    ])
    func `a text that can't be an S3 URI is refused`(text: String) {
        #expect(throws: SettingsError.self) { try S3URI(parsing: text) }
    }
}

@Suite struct `An endpoint URL` {
    @Test(arguments: [
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("HTTPS://Storage.Example.org/", "https://storage.example.org"),
        ("https://h:443/s3/", "https://h/s3"), ("http://h:80", "http://h"), ("https://h:80", "https://h:80"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ])
    func `an endpoint URL is parsed and normalized`(text: String, plain: String) throws {
        #expect(try S3Endpoint(parsing: text).description == plain)
    }

    @Test(arguments: [
        "", "127.0.0.1:9000", "ftp://h", "http://", "http://h:0", "http://h:65536", "http://h:x", "http://h:",
        "http://user:hush@h", "http://h/?q", "http://h#f", "http://h h", "http://[::1", "http://h\n",
    ])
    func `an invalid endpoint URL is refused, without a password in the message`(text: String) {
        let error = #expect(throws: SettingsError.self) { try S3Endpoint(parsing: text) }
        #expect(error?.description.contains("hush") == false)
    }
}

@Suite struct `A bucket's address` {
    @Test(
        arguments: [
            ("bucket", "eu-west-1", nil, AddressingStyle.auto, "https://bucket.s3.eu-west-1.amazonaws.com/k%20/x"),
            ("bucket", "cn-north-1", nil, .auto, "https://bucket.s3.cn-north-1.amazonaws.com.cn/k%20/x"),
            ("my.bucket", "us-east-1", nil, .auto, "https://s3.us-east-1.amazonaws.com/my.bucket/k%20/x"),
            ("bucket", "us-east-1", nil, .path, "https://s3.us-east-1.amazonaws.com/bucket/k%20/x"),
            ("bucket", "us-east-1", "http://127.0.0.1:9000", .auto, "http://127.0.0.1:9000/bucket/k%20/x"),
            ("bucket", "us-east-1", "http://s.org:81/p", .virtual, "http://bucket.s.org:81/p/k%20/x"),
            ("My_Bucket", "RegionOne", "http://s.org", .auto, "http://s.org/My_Bucket/k%20/x"),
            ("tenant:bucket", "Default", "http://s.org", .auto, "http://s.org/tenant%3Abucket/k%20/x"),
            ("bücket+", "Default", "http://s.org", .path, "http://s.org/b%C3%BCcket%2B/k%20/x"),
        ] as [(String, String, String?, AddressingStyle, String)])
    func `the address of a bucket follows the addressing style`(
        bucket: String, region: String, endpoint: String?, style: AddressingStyle, url: String
    ) throws {
        let address = BucketAddress(
            bucket: bucket, region: region, endpoint: try endpoint.map { try S3Endpoint(parsing: $0) }, style: style)
        #expect(address.url(of: HTTPRequest(host: address.host, path: address.path(of: "k /x"))) == url)
    }
}

@Suite struct `A bucket's identity` {
    @Test(
        arguments: [nil, "http://127.0.0.1:9000", "https://s.org/p/q", "http://aws"],
        ["my.bucket", "My_Bucket", "tenant:bucket", "arn:aws:s3:us-west-2:123456789012:accesspoint/my-point"])
    func `a bucket's identity contains the bucket and the endpoint`(endpoint: String?, bucket: String) throws {
        let configuration = S3Configuration(
            bucket: bucket, endpoint: try endpoint.map { try S3Endpoint(parsing: $0) })
        let parts = S3Configuration.parts(ofBucketIdentity: configuration.bucketIdentity)
        #expect(parts.endpoint == endpoint)
        #expect(parts.bucket == bucket)
    }
}

@Suite struct `The number of network threads` {
    @Test(arguments: [(1, 2), (2, 2), (5, 5), (8, 8), (96, 8), (-1, 2)])
    func `the number of network threads is that of the processors, within limits`(processorCount: Int, threadCount: Int)
    {
        #expect(S3Configuration.networkThreadCount(processorCount: processorCount) == threadCount)
    }
}
