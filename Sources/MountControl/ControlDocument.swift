import FoundationEssentials

/// The JSON documents of control calls. Members are named in snake case.
enum ControlDocument {
    /// Encodes a value as one line, its members in the order of the type's properties. `nil` is null.
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        var text = ""
        try JSONNode(value).write(to: &text)
        return Array(text.utf8)
    }

    /// Decodes a document. Unknown members are ignored.
    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: Data(bytes))
    }
}
