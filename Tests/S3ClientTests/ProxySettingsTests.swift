import Testing

@testable import S3Client

/// The rules of curl(1), "ENVIRONMENT".
@Suite("Proxies of the environment") struct ProxySettingsTests {
    private func proxy(_ url: String, _ environment: [String: String]) throws -> String? {
        try ProxySettings(environment: environment).proxy(for: S3Endpoint(parsing: url))?.description
    }

    @Test(
        arguments: [
            ("http://s", ["http_proxy": "http://p:1"], "http://p:1"),
            ("http://s", ["HTTP_PROXY": "http://p:1"], nil),
            ("https://s", ["http_proxy": "http://p:1"], nil),
            ("https://s", ["HTTPS_PROXY": "http://p:1"], "http://p:1"),
            ("https://s", ["https_proxy": "http://p:1", "HTTPS_PROXY": "http://q:1"], "http://p:1"),
            ("https://s", ["https_proxy": "", "all_proxy": "http://p:1"], "http://p:1"),
            ("http://s", ["ALL_PROXY": "http://p:1"], "http://p:1"),
            ("http://s", ["http_proxy": "p:8080"], "http://p:8080"),
            ("http://s", ["http_proxy": "p"], "http://p:1080"),
            ("http://s", ["http_proxy": "http://p:80/"], "http://p:80"),
            ("http://s", ["http_proxy": "https://p"], "https://p:443"),
            ("http://s", ["http_proxy": "HTTP://user:se@ret@[::1]:3128"], "http://[::1]:3128"),
            ("http://s", ["http_proxy": "socks5h://p"], "socks5h://p:1080"),
        ] as [(String, [String: String], String?)])
    func `the proxies of the environment are those that curl uses`(
        url: String, environment: [String: String], expected: String?
    ) throws {
        #expect(try proxy(url, environment) == expected)
    }

    @Test(
        arguments: [
            ("*", "s.example.org", true), ("example.org", "s.example.org", true),
            (".example.org", "s.example.org", true),
            ("example.org", "example.org", true), ("example.org.", "EXAMPLE.org", true),
            ("example.org", "badexample.org", false),
            ("a, b ,example.org", "s.example.org", true), ("a b example.org", "s.example.org", true),
            ("127.0.0.1", "127.0.0.1", true), ("127.0.0.0/8", "127.9.9.9", true), ("10.0.0.0/9", "10.128.0.1", false),
            ("10.0.0.0/33", "10.0.0.1", false), ("fd00::/8", "[fd12::1]", true), ("[::1]", "[::1]", true),
            ("::1", "[0:0::1]", true), ("0.0.0.0/0", "s.example.org", false), ("", "s.example.org", false),
            (",", "a", false),
        ])
    func `the hosts of no_proxy are reached without a proxy`(list: String, host: String, isExcepted: Bool) throws {
        for variable in ["no_proxy", "NO_PROXY"] {
            #expect(
                try proxy("http://\(host)", ["http_proxy": "http://p:1", variable: list])
                    == (isExcepted ? nil : "http://p:1"))
        }
    }

    @Test(arguments: [
        "ftp://user:secret@p", "http://user:secret@", "http://user:secret@p:x", "http://user:secret@a b",
        "http://user:my secret@p:3128",
    ])
    func `an invalid proxy is refused, without a password in the message`(url: String) {
        do throws(SettingsError) {
            _ = try ProxySettings(environment: ["https_proxy": url])
            Issue.record("a proxy")
        } catch {
            #expect("\(error)".contains("https_proxy") && !"\(error)".contains("secret"))
        }
    }
}
