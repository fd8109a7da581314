import Foundation
import SystemSupport
import TestSupport

/// A mount of the soak's bucket, and its processes.
struct SoakMount: Sendable {
    /// The name of the mount in the output.
    let name: String
    let mountPoint: String
    let directory: String

    /// The options of the mount: small limits, so that it evicts and fetches again all the time.
    private static let options = [
        "--metadata-ttl", "2s", "--read-timeout", "6s", "--cache-size", "200MiB", "--memory-limit", "192MiB",
        "--log-level", "info",
    ]

    init(_ name: String, of server: S3TestServer, in directory: String, keyFile: String) throws {
        self.name = name
        self.directory = directory + "/" + name
        mountPoint = self.directory + "/mount"
        try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: true)
        let environment = [
            "AWS_SHARED_CREDENTIALS_FILE": keyFile, "AWS_CONFIG_FILE": "/dev/null", "AWS_ACCESS_KEY_ID": "",
            "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
            "AWS_EC2_METADATA_DISABLED": "true",
        ]
        try runChecked(
            tractfsExecutable(),
            [
                "mount", "s3://\(server.bucket)", mountPoint, "--endpoint-url", server.endpointURL, "--cache-dir",
                self.directory + "/cache", "--log-file", logFile,
            ] + Self.options, environment: environment)
    }

    private var logFile: String { directory + "/log" }

    /// The log.
    var log: String { String(decoding: FileManager.default.contents(atPath: logFile) ?? Data(), as: UTF8.self) }

    /// The serving process and its supervisor, the older one first.
    var processIDs: [Int32] {
        let starts = processes(withArgument: mountPoint).map { ($0, ProcessStat(of: $0)?.startTime ?? 0) }
        return starts.sorted { $0.1 < $1.1 }.map(\.0)
    }

    /// Kills the serving process, once there is one.
    func killServer() {
        if let server = processIDs.last, processIDs.count == 2 { kill(server, SIGKILL) }
    }

    /// Unmounts it, and waits for its processes.
    func end() throws {
        try runChecked("fusermount3", ["-u", "-z", mountPoint])
        try eventually("the end of the processes of \(mountPoint)", within: .seconds(60)) { processIDs.isEmpty }
    }
}
