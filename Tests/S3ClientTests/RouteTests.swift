import ObjectStore
import TestSupport
import Testing

@testable import S3Client

@Suite("Routes to servers") struct RouteTests {
    private let resolver = HostResolver { host in
        host.hasSuffix("unknown")
            ? .failure(LookupFailure(isNameUnknown: true, message: "there is no host \(host)"))
            : .success(["10.0.0.1", "[fd00::1]"])
    }

    private func route(to url: String, _ environment: [String: String] = [:]) throws -> Result<Route, AttemptFailure> {
        let router = Router(proxies: try ProxySettings(environment: environment), resolver: resolver)
        let endpoint = try S3Endpoint(parsing: url)
        var found: Result<Route, AttemptFailure>?
        try eventually("a way to \(url)") {
            switch router.route(to: endpoint) {
            case .ready(let route): found = .success(route)
            case .failed(let failure): found = .failure(failure)
            case .pending: break
            }
            return found != nil
        }
        return try #require(found)
    }

    @Test(
        arguments: [
            ("http://store.test", ["store.test:80:10.0.0.1,[fd00::1]"]),
            ("https://store.test", ["store.test:443:10.0.0.1,[fd00::1]"]),
            ("https://store.test:9000/path", ["store.test:9000:10.0.0.1,[fd00::1]"]),
            ("http://store.test.", ["store.test.:80:10.0.0.1,[fd00::1]", "store.test:80:10.0.0.1,[fd00::1]"]),
            ("http://127.0.0.1:9000", []), ("http://[::1]:9000", []), ("http://localhost", []),
            ("http://bucket.localhost:9000", []),
        ])
    func `a route has all addresses of a name`(url: String, addresses: [String]) throws {
        #expect(try route(to: url).get().addresses == addresses)
    }

    @Test func `a route through a proxy needs only the proxy's addresses`() throws {
        let proxied = try route(to: "https://unknown", ["https_proxy": "http://u:p@proxy.test:3128"]).get()
        #expect(proxied.addresses == ["proxy.test:3128:10.0.0.1,[fd00::1]"])
        #expect(proxied.note == " (through the proxy http://proxy.test:3128)")
        let socks = try route(to: "https://store.test", ["https_proxy": "socks5://proxy.test"]).get()
        #expect(socks.addresses.map { $0.prefix { $0 != "0" } } == ["proxy.test:1", "store.test:443:1"])
    }

    @Test func `a route to a host without an address is retried`() throws {
        guard case .failure(let failure) = try route(to: "https://unknown:9000") else {
            Issue.record("a route")
            return
        }
        #expect(failure.remedy == .backOff && failure.error.code == .unreachable)
        #expect(failure.error.message == "can't find the address of https://unknown:9000: there is no host unknown")
    }

    @Test func `a failed lookup contains the system's reason`() {
        guard case .failure(let failure) = HostLookup.addresses(of: "no-such-host.invalid") else {
            Issue.record("an address")
            return
        }
        #expect(failure.message.contains("no-such-host.invalid"))
        #expect(
            HostLookup.addresses(of: "localhost").map { $0.contains("127.0.0.1") || $0.contains("[::1]") }
                == .success(true))
    }
}
