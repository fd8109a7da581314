/// A web server with TLS that is not S3 (openssl-s_server(1)).
public struct WebServer {
    /// The port of the loopback interface.
    public let port: UInt16
    /// The server's certificate, which it has signed itself.
    public let certificatePath: String
}

/// Runs a web server during `body`.
public func withWebServer<Result>(_ body: (WebServer) throws -> Result) throws -> Result {
    try withTemporaryDirectory { directory in
        let (key, certificate) = (directory + "/key.pem", directory + "/certificate.pem")
        try runChecked(
            "openssl",
            ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
                + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate])
        let port = try freePort()
        let server = try BackgroundProcess(
            "openssl",
            ["s_server", "-accept", "127.0.0.1:\(port)", "-key", key, "-cert", certificate, "-www", "-quiet"],
            outputDirectory: directory)
        defer { server.end() }
        try eventually("an answer of openssl") {
            try run("bash", ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port)"]).status == 0
        }
        return try body(WebServer(port: port, certificatePath: certificate))
    }
}
