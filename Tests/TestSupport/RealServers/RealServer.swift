/// A real S3 server that runs on the loopback interface.
public struct RealServer: Sendable {
    /// The value of `--endpoint-url`.
    public let endpointURL: String
    /// The key of the only user.
    public let accessKeyID: String
    /// The key of the only user.
    public let secretAccessKey: String

    /// The environment that gives tractfs, or an AWS SDK, the endpoint and the credentials, and no others.
    public var environment: [String: String] {
        [
            "AWS_ENDPOINT_URL": endpointURL, "AWS_ACCESS_KEY_ID": accessKeyID,
            "AWS_SECRET_ACCESS_KEY": secretAccessKey, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_CONFIG_FILE": "/dev/null",
        ]
    }

    /// Puts all files below `directory` into `bucket`, which is made where it is missing; folders become no keys.
    /// Afterwards the files have the objects' modification times, so that `rsync` and `find -ls` agree.
    public func upload(directory: String, bucket: String, prefix: String = "") throws {
        try runChecked(
            pythonExecutable(),
            [packageRoot + "/scripts/upload_tree.py", "--set-mtimes", directory, "s3://\(bucket)/\(prefix)"],
            environment: environment, timeout: .seconds(600))
    }
}

/// Runs juicefs's gateway (MinIO's S3 code; it checks every signature) on a free port, with its files in a folder that
/// is removed afterwards.
public func withJuiceFSGateway<Result>(_ body: (RealServer) throws -> Result) throws -> Result {
    try withTemporaryDirectory { directory in
        let port = try freePort()
        let server = RealServer(
            endpointURL: "http://127.0.0.1:\(port)", accessKeyID: "tracttest", secretAccessKey: "tracttest-secret")
        // It keeps state below HOME too.
        let environment = [
            "HOME": directory, "MINIO_ROOT_USER": server.accessKeyID,
            "MINIO_ROOT_PASSWORD": server.secretAccessKey,
        ]
        let juicefs = pythonTool("juicefs")
        let metadata = "sqlite3://\(directory)/meta.db"
        try runChecked(
            juicefs, ["format", "--storage", "file", "--bucket", directory + "/objects/", metadata, "vol"],
            environment: environment)
        let gateway = try BackgroundProcess(
            juicefs,
            [
                "gateway", "--multi-buckets", "--keep-etag", "--object-meta", "--no-usage-report", metadata,
                "127.0.0.1:\(port)",
            ], environment: environment, outputDirectory: directory)
        defer { gateway.end() }
        try waitUntilAnswering(gateway, port: port)
        return try body(server)
    }
}

/// Runs moto's server (it takes any credentials) on a free port.
public func withMoto<Result>(_ body: (RealServer) throws -> Result) throws -> Result {
    try withTemporaryDirectory { directory in
        let port = try freePort()
        let moto = try BackgroundProcess(
            pythonExecutable(), ["-m", "moto.server", "-H", "127.0.0.1", "-p", String(port)],
            environment: ["HOME": directory], outputDirectory: directory)
        defer { moto.end() }
        try waitUntilAnswering(moto, port: port)
        return try body(
            RealServer(
                endpointURL: "http://127.0.0.1:\(port)", accessKeyID: "tracttest",
                secretAccessKey: "tracttest-secret"))
    }
}

private func waitUntilAnswering(_ process: BackgroundProcess, port: UInt16) throws {
    try eventually("an answer on port \(port)", within: .seconds(60)) {
        guard process.isRunning else {
            throw CommandFailure(description: "the server ended: " + process.output + process.errorOutput)
        }
        return try isListening(onPort: port)
    }
}
