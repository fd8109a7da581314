import Glibc
import TestSupport
import Testing

@testable import S3Client

@Suite("A service that hands out credentials") struct ServiceConnectionTests {
    private let connection = ServiceConnection(connectLimit: .milliseconds(300), limit: .milliseconds(300))

    private func send(
        to server: ServiceTestServer
    ) throws -> Result<ServiceConnection.Answer, ServiceConnection.Failure> {
        let endpoint = try S3Endpoint(parsing: server.url)
        return Result { () throws(ServiceConnection.Failure) in
            try connection.send(HTTPRequest(host: endpoint.authority, path: "/"), to: endpoint)
        }
    }

    @Test func `a silent service gets three requests before it fails`() throws {
        try withServiceTestServer(answering: { _ in .silence }) { server in
            guard case .failure(let failure) = try send(to: server) else {
                Issue.record("an answer")
                return
            }
            #expect(failure.isResponseTimeout)
            #expect(server.log.count == 3)
        }
    }

    @Test func `a long response of a service is cut`() throws {
        try withServiceTestServer(answering: { _ in .init(String(repeating: "x", count: 4 << 20)) }) { server in
            let answer = try ServiceConnection().send(
                HTTPRequest(host: "h", path: "/"), to: S3Endpoint(parsing: server.url))
            #expect(answer.body.count == 256 << 10)
        }
    }

    @Test func `a service that accepts no connection fails`() throws {
        // A socket whose queue of connections is full, so that the kernel drops further ones.
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        listen(listener, 0)
        var address = sockaddr_in()
        var byteCount = socklen_t(MemoryLayout<sockaddr_in>.size)
        var waiting: [Int32] = []
        defer { waiting.forEach { close($0) } }
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(listener, address, &byteCount)
                for _ in 0..<4 {
                    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
                    connect(client, address, byteCount)
                    waiting.append(client)
                }
            }
        }
        let endpoint = try S3Endpoint(parsing: "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))")
        do throws(ServiceConnection.Failure) {
            _ = try connection.send(HTTPRequest(host: "h", path: "/"), to: endpoint)
            Issue.record("an answer")
        } catch {
            #expect(!error.isResponseTimeout)
        }
    }
}
