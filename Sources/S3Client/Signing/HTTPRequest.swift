/// A header field.
struct HTTPHeader: Hashable, Sendable {
    let name: String
    let value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A name and a value of a query, not yet encoded. The value may hold any bytes, as a key's prefix does.
struct QueryItem: Hashable, Sendable {
    let name: String
    let value: [UInt8]

    init(_ name: String, _ value: [UInt8]) {
        self.name = name
        self.value = value
    }

    init(_ name: String, _ value: String) {
        self.init(name, Array(value.utf8))
    }
}

/// A request before it is signed.
struct HTTPRequest: Sendable {
    /// The method, in capital letters: "GET", or "HEAD", of everything that is asked of S3.
    var method = "GET"
    /// What stands in the `Host` header: the port too, where it isn't the scheme's own.
    var host: String
    /// The path, percent-encoded as it is sent.
    var path: String
    /// The query, in any order.
    var query: [QueryItem] = []
    /// Further headers. All of them are signed.
    var headers: [HTTPHeader] = []
    /// Nothing in a GET.
    var body: [UInt8] = []

    /// The query percent-encoded and in Signature Version 4's order: by name, then by value. Sent just so.
    var canonicalQuery: String { HTTPRequest.form(query) }

    /// Fields as a query has them; also the body of a form (`application/x-www-form-urlencoded`).
    static func form(_ fields: [QueryItem]) -> String {
        fields
            .map { (PercentEncoding.encode($0.name.utf8, as: .query), PercentEncoding.encode($0.value, as: .query)) }
            .sorted { left, right in left < right }
            .map { name, value in "\(name)=\(value)" }
            .joined(separator: "&")
    }
}
