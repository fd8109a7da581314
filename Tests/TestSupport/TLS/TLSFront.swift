import Foundation

/// TLS in front of a server without it, with the certificate of a test.
public final class TLSFront {
    /// The certificate for clients.
    public enum Certificate: String, Sendable, CaseIterable {
        /// Signed by the authority of `authorityPath`, for 127.0.0.1 and localhost.
        case trusted
        /// The same, signed by an unknown authority.
        case stranger
        /// Signed by the authority, for another host.
        case otherName
        /// Signed by the authority, and out of date since yesterday.
        case expired
    }

    private let directory: String
    private let process: BackgroundProcess
    private let port: String

    /// The value of `--endpoint-url`.
    public var endpointURL: String { "https://127.0.0.1:\(port)" }

    /// The value of `--ca-bundle` that makes it trusted.
    public var authorityPath: String { directory + "/ca.pem" }

    fileprivate init(ofPort port: Int, showing certificate: Certificate, directory: String) throws {
        self.directory = directory
        try certificate.rawValue.write(toFile: directory + "/certificate", atomically: true, encoding: .utf8)
        process = try BackgroundProcess(
            pythonExecutable(), [packageRoot + "/Tests/TestSupport/TLS/tls_front.py", String(port), directory],
            outputDirectory: directory)
        let (process, portPath) = (process, directory + "/port")
        do {
            try eventually("TLS in front of port \(port)") {
                if !process.isRunning { throw CommandFailure(description: process.errorOutput) }
                return FileManager.default.fileExists(atPath: portPath)
            }
            self.port = try String(contentsOfFile: portPath, encoding: .utf8)
        } catch {
            process.end()
            throw error
        }
    }

    /// Shows another certificate, and closes all connections, so that clients see it.
    public func show(_ certificate: Certificate) throws {
        try certificate.rawValue.write(toFile: directory + "/certificate", atomically: true, encoding: .utf8)
        kill(process.processID, SIGHUP)
        try eventually("the certificate \(certificate)") {
            try String(contentsOfFile: directory + "/shown", encoding: .utf8) == certificate.rawValue
        }
    }

    fileprivate func end() {
        process.end()
    }
}

/// Puts TLS in front of a server during `body`.
public func withTLS<Result>(
    inFrontOf server: S3TestServer, showing certificate: TLSFront.Certificate = .trusted,
    _ body: (TLSFront) throws -> Result
) throws -> Result {
    try withTemporaryDirectory { directory in
        let front = try TLSFront(ofPort: server.port, showing: certificate, directory: directory)
        defer { front.end() }
        return try body(front)
    }
}
