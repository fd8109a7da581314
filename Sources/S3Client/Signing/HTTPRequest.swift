/// A header field.
struct HTTPHeader: Hashable, Sendable {
    let name: String
    let value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A name and value in a query, not yet encoded. The value may contain any bytes, like a key's prefix.
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
    /// The method in upper case. Requests to S3 are "GET" or "HEAD".
    var method = "GET"
    /// The value of the `Host` header. It includes the port if it is not the default of the scheme.
    var host: String
    /// The path, percent-encoded.
    var path: String
    /// The query, in any order.
    var query: [QueryItem] = []
    /// Additional headers, all of which are signed.
    var headers: [HTTPHeader] = []
    /// The body; empty for GET.
    var body: [UInt8] = []

    /// The query, percent-encoded and sorted by name and value, as Signature Version 4 requires. It is sent in this
    /// form.
    var canonicalQuery: String { HTTPRequest.form(query) }

    /// Encodes fields as a query, or as the body of a form (`application/x-www-form-urlencoded`).
    static func form(_ fields: [QueryItem]) -> String {
        fields
            .map { (PercentEncoding.encode($0.name.utf8, as: .query), PercentEncoding.encode($0.value, as: .query)) }
            .sorted { left, right in left < right }
            .map { name, value in "\(name)=\(value)" }
            .joined(separator: "&")
    }
}
